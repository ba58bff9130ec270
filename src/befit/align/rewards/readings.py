"""What a language model makes of texts in a few contexts, as numbers that a small head can weigh.

The model reads each of at most so many texts of the people learned from, those first that most
people compared, once in every context. A text that it did not read has what its features tell of
such readings (a ridge regression, its penalty chosen by leaving each text out). So a fit costs the
same on any data, and after it no model is needed. Prompts are not read: two answers share theirs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from befit.align.rewards.pairs import Array, Indices, Pairs, Population, Texts
from befit.align.rewards.reader import Reads
from befit.core.errors import NotEnoughFeedbackError
from befit.features.recognition import digest

MOST_NATS = 5.0  # per token; beyond it a ratio says that a word is odd, not that it is liked
RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
Asks = Callable[[Sequence[str]], Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Readings:
    """Numbers of texts, one a context, each with a spread of 1 among those that were read.

    Attributes:
        known: What each text that was read is recognised by; tells nobody what it was.
        values: What was read, shape (read, contexts).
        means: Mean of the features of what was read, shape (width,).
        slopes: From features to what would be read, shape (width, contexts).
        told: Share of the variance that the features tell of a text left out, at most 1.
    """

    known: tuple[str, ...]
    values: Array
    means: Array
    slopes: Array
    told: float
    _place: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_place", {name: i for i, name in enumerate(self.known)})

    def differences(self, pairs: Pairs) -> Array:
        """Readings of the chosen less those of the rejected, shape (n, contexts)."""
        found: Array = self._of(pairs.texts, pairs.chosen) - self._of(pairs.texts, pairs.rejected)
        return found

    def _of(self, texts: Texts, at: Indices) -> Array:
        found: Array = (texts.vectors[at] - self.means) @ self.slopes
        for row, text in enumerate(at.tolist()):
            place = self._place.get(digest(texts.names[text]), -1)
            if place >= 0:
                found[row] = self.values[place]
        return found


def read(people: Population, ask: Asks, most_texts: int) -> Readings:
    """Have the texts of some people read.

    Args:
        people: Whose texts.
        ask: Reads texts in every context, shape (n, contexts).
        most_texts: How many at most, >= 1.

    Raises:
        NotEnoughFeedbackError: They compared nothing.
    """
    at = most_met(people, most_texts)
    names = [people.texts.names[i] for i in at.tolist()]
    raw = ask(names)
    values = (raw - raw.mean(axis=0)) / np.maximum(raw.std(axis=0), 1e-6)
    features = people.texts.vectors[at]
    means = features.mean(axis=0)
    slopes, told = _ridge(features - means, values)
    return Readings(
        known=tuple(map(digest, names)), values=values, means=means, slopes=slopes, told=told
    )


def most_met(people: Population, most: int) -> Indices:
    """The texts that most people compared; among equals by a draw that depends on the text alone.

    Raises:
        NotEnoughFeedbackError: They compared nothing.
    """
    count = np.zeros(len(people.texts), dtype=np.intp)
    for person in people:
        count[np.unique(np.concatenate([person.pairs.chosen, person.pairs.rejected]))] += 1
    at = np.flatnonzero(count)
    if not len(at):
        raise NotEnoughFeedbackError("there are no texts to read", hint="give more pairs")
    order = sorted(at.tolist(), key=lambda i: (-count[i], digest(people.texts.names[i])))
    return np.array(order[:most], dtype=np.intp)


def log_ratios(reader: Reads, contexts: Sequence[str], without: str, texts: Sequence[str]) -> Array:
    """How much likelier each text is in each context than without it, shape (n, contexts).

    In nats per token, cut at `MOST_NATS`.

    Source: context steering as a reward, He et al. 2024, arXiv:2405.01768.
    """
    base = remembered(reader, without, texts)
    columns = [remembered(reader, context, texts) - base for context in contexts]
    found: Array = np.clip(np.column_stack(columns), -MOST_NATS, MOST_NATS)
    return found


def remembered(reader: Reads, opening: str, texts: Sequence[str]) -> Array:
    """Likelihoods that this process keeps, so that a second fit on the same texts is quick."""
    memory, key = _memory(reader), digest(opening)
    names = [digest(text) for text in texts]
    new = {n: text for n, text in zip(names, texts, strict=True) if (key, n) not in memory}
    for name, nats in zip(new, reader.nats(opening, list(new.values())), strict=True):
        memory[key, name] = nats
    return np.array([memory[key, name] for name in names])


@lru_cache(maxsize=4)
def _memory(reader: Reads) -> dict[tuple[str, str], float]:  # noqa: ARG001 - one for each reader
    return {}


def _ridge(x: Array, y: Array) -> tuple[Array, float]:
    """Slopes (width, contexts), and the share of variance told of a row left out."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    tried = []
    for ridge in RIDGES:
        kept = s**2 / (s**2 + ridge)
        rest = y - (u * kept) @ (u.T @ y)
        own = (u**2 * kept).sum(axis=1, keepdims=True)
        loss = float(((rest / np.maximum(1.0 - own, 1e-6)) ** 2).mean())
        tried.append((loss, ridge))
    loss, ridge = min(tried)
    slopes: Array = vt.T @ ((s / (s**2 + ridge))[:, None] * (u.T @ y))
    return slopes, float(1.0 - loss / max(float(y.var()), 1e-9))
