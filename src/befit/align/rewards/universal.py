"""The heads of the universal values as rewards: what a guard believes, beside what people prefer.

With r_v the calibrated log-odds that a reply breaks the value v to a prompt, the logit of a pair is

    slope * (r_v(prompt, rejected) - r_v(prompt, chosen)),

the slope chosen on people kept aside. No person is read: a value holds for everyone. One class a
value, so that a table shows each head on each value's data; a head that serves one value may well
prefer what breaks another.

A head that has seen a prompt may not be measured on it. Where the heads in use were fitted on any
prompt of the people to fit on or kept aside, or on vectors of another encoder, their weights are
set aside and the same recipe (blocks and ridges of `befit.values.weights.scales`) is fitted on the
comparisons given. Where they have seen what is asked all the same, no logit is given.

Found when checking: windows of one, two and all of the person's turns are within a point of each
other on hh-rlhf's pairs (harmless .656, .656, .657; helpful .639, .637, .643): two are read.

Source: Bai et al. 2022, arXiv:2204.05862 (preference models of helpful and of harmless apart).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import best_slope, episodes
from befit.core.errors import NotEnoughFeedbackError
from befit.core.protocols import Encoder
from befit.values.corpora import Compared, Value, digest, turns
from befit.values.fitting import compared_weights
from befit.values.reading import read
from befit.values.weights import heads_at

_CHUNK = 256  # texts whose features are held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmlessHead:
    """The head of one value, by default of being harmless.

    Attributes:
        value: Whose head.
        path: The folder of the heads; "" is those in use.
        most_tested: People that an evaluation may ask it about. That it is stated keeps the heads
            out of "all", where people's tastes are measured.
    """

    value: Value = "harmless"
    path: str = ""
    most_tested: int = 1000

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "HeadFit":
        encoder = train.texts.features.encoder
        pairs, aside = (part.joined()[0].decided() for part in (train, validation))
        heads = heads_at(self.path)
        seen = heads.tensors[f"{self.value}.seen"].astype(np.int64)
        fits = heads.card.encoder == encoder.name and heads.card.features == "small"
        if fits and not (_known(pairs, seen).any() or _known(aside, seen).any()):
            weights = heads.weights(self.value)
        else:
            rows = [_compared(pairs, at) for at in range(len(pairs))]
            weights = compared_weights(encoder, self.value, rows, seed)
            seen = np.zeros(0, dtype=np.int64)
        fitted = HeadFit(
            weights={str(block): np.asarray(part, np.float64) for block, part in weights.items()},
            seen=seen,
            most_tested=self.most_tested,
        )
        slope, _ = best_slope(fitted, episodes(validation, seed, shots=(0,)))
        return replace(fitted, slope=slope)


@dataclass(frozen=True, slots=True, kw_only=True)
class HonestHead(HarmlessHead):
    """The head of being honest."""

    value: Value = "honest"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpfulHead(HarmlessHead):
    """The head of being helpful."""

    value: Value = "helpful"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadFit:
    """Weights of one head.

    Attributes:
        weights: By block of `befit.values.reading`.
        seen: Digests of the prompts that the weights were fitted on elsewhere.
        slope: What the logits are multiplied by.
        most_tested: People that an evaluation may ask it about.
    """

    weights: Mapping[str, Array]
    seen: NDArray[np.int64]
    slope: float = 1.0
    most_tested: int = 1000

    def adapt(self, people: Sequence[Person]) -> Sequence[None]:
        return [None] * len(people)

    def logits(self, state: None, pairs: Pairs) -> Array:
        """As `befit.align.rewards.method.Fitted.logits`.

        Raises:
            NotEnoughFeedbackError: The weights were fitted on what is asked.
        """
        known = _known(pairs, self.seen)
        if known.any():
            raise NotEnoughFeedbackError(
                f"the head was fitted on {int(known.sum())} of the prompts that are asked about",
                hint="measure it on other data, or fit it on part of this",
            )
        encoder = pairs.texts.features.encoder
        gap = self._raw(encoder, pairs, pairs.rejected) - self._raw(encoder, pairs, pairs.chosen)
        return self.slope * gap

    def _raw(self, encoder: Encoder, pairs: Pairs, sides: NDArray[np.intp]) -> Array:
        asked = [_asked(pairs, at)[1] for at in range(len(pairs))]
        said = [pairs.texts.names[side] for side in sides]
        found = np.zeros(len(pairs))
        for start in range(0, len(pairs), _CHUNK):
            part = slice(start, start + _CHUNK)
            reading = read(encoder, asked[part], said[part])
            for block, weights in self.weights.items():
                found[part] += reading.block_named(block) @ weights
        return found


def _compared(pairs: Pairs, at: int) -> Compared:
    names = pairs.texts.names
    first, asked = _asked(pairs, at)
    better, worse = names[pairs.chosen[at]], names[pairs.rejected[at]]
    return Compared(prompt=asked, better=better, worse=worse, group=first or asked)


def _asked(pairs: Pairs, at: int) -> tuple[str, str]:
    """The first and the last requests; a prompt may be a dialogue."""
    number = int(pairs.prompts[at])
    prompt = pairs.texts.names[number] if number >= 0 else ""
    if "\n\nAssistant:" not in prompt and not prompt.startswith("Human:"):
        return prompt, prompt
    first, asked, _ = turns(f"\n\n{prompt}\n\nAssistant:")
    return first, asked


def _known(pairs: Pairs, seen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each pair's dialogue is among what was fitted on."""
    asked = [_asked(pairs, at) for at in range(len(pairs))]
    marks = np.array([[digest(text) if text else -1 for text in two] for two in asked], np.int64)
    first, last = marks.reshape(len(pairs), 2).T
    return np.asarray(np.isin(first, seen) | np.isin(last, seen))
