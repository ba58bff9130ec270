"""PAL: a few prototypes of people; everyone is a mixture of them.

``Pal`` (PAL-A) places people in the space of texts: with ``f`` a learned map and
``a_u = sum_k softmax(w_u)_k p_k``, the text nearer to ``a_u`` is preferred, and the log-odds are
``|f(rejected) - a_u|^2 - |f(chosen) - a_u|^2``. ``PalPrompt`` (PAL-B) maps the prompt instead: each
prototype is a map ``g_k`` and the score is ``<f(y), sum_k w_k g_k(x)>``. Both are linear in the
mixture, so that of a new person the point of the simplex alone is searched, by Adam, with all else
frozen; a person without a history is in its middle.

Source: Chen et al. 2025, PAL, "Pluralistic alignment framework for learning from heterogeneous
preferences", ICLR 2025, arXiv:2406.08469.

Found when checking: the squared lengths in PAL-A are a user-blind reward of their own, and on data
where people agree they carry all of it; two prototypes are the published setting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from befit.align.rewards.histories import batches, pooled
from befit.align.rewards.lore import simplex
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes
from befit.align.train.episodic import one_thread
from befit.core.errors import NotEnoughFeedbackError

_LOOKS = (50, 100, 200, 400)
_ADAPT = (10, 40, 160)
_RATE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pal:
    """PAL-A: people as points among the texts.

    Attributes:
        prototypes: How many, to try.
        width: Of the learned space.
        learning_rate: Of the joint fit.
        decay: L2 on what is learned.
    """

    prototypes: tuple[int, ...] = (2, 6)
    width: int = 32
    learning_rate: float = 0.01
    decay: float = 1e-3

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "PalFit":
        return _best(self, train, validation, seed, self.shape(train.texts.features.width))

    def shape(self, features: int) -> tuple[int, ...]:
        """Of one prototype."""
        return (self.width,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PalPrompt(Pal):
    """PAL-B: people as mixtures of maps of the prompt."""

    def shape(self, features: int) -> tuple[int, ...]:
        return features + 1, self.width


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PalFit:
    """The map of texts and the prototypes.

    Attributes:
        texts: Features to the learned space, shape (features, width).
        prototypes: Points, shape (k, width), or maps of the prompt, shape (k, features + 1, width).
        steps: Of a new person's fit.
        slope: Of the logits.
    """

    texts: Array
    prototypes: Array
    steps: int
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """Each person's point of the simplex, shape (k,)."""
        return [
            point
            for some in batches(people, self._heads, len(self.prototypes))
            for point in simplex(some, self.steps, _RATE)
        ]

    def logits(self, state: Array, pairs: Pairs) -> Array:
        found: Array = self.slope * (self._heads(pairs) @ state)
        return found

    def _heads(self, pairs: Pairs) -> Array:
        """The log-odds under each prototype alone, shape (n, k)."""
        vectors = pairs.texts.vectors
        chosen_at, rejected_at = (vectors[at] @ self.texts for at in (pairs.chosen, pairs.rejected))
        apart = chosen_at - rejected_at
        if self.prototypes.ndim == 2:
            lengths = (rejected_at**2).sum(axis=1) - (chosen_at**2).sum(axis=1)
            found: Array = lengths[:, None] + 2.0 * apart @ self.prototypes.T
            return found
        maps = np.einsum("nf,kfw->nkw", asked(pairs), self.prototypes)
        heads: Array = np.einsum("nw,nkw->nk", apart, maps)
        return heads


def asked(pairs: Pairs) -> Array:
    """Features of each prompt and a one, shape (n, width + 1); no prompt is all zeros and a one."""
    vectors = pairs.texts.vectors
    found = np.ones((len(pairs), vectors.shape[1] + 1))
    found[:, :-1] = np.where(pairs.prompts[:, None] >= 0, vectors[pairs.prompts], 0.0)
    return found


def _best(
    method: Pal,
    train: Population,
    validation: Population,
    seed: int,
    shape: tuple[int, ...],
) -> PalFit:
    """The best fit with prototypes of this shape."""
    tried = [
        PalFit(texts=texts, prototypes=prototypes, steps=steps, slope=1.0)
        for count in method.prototypes
        for texts, prototypes in _looks(method, train, (count, *shape), seed)
        for steps in _ADAPT
    ]
    found = episodes(validation, seed, most_people=100)
    return chosen(tried, found, lambda fit, slope: replace(fit, slope=slope))


def _looks(
    method: Pal, train: Population, shape: tuple[int, ...], seed: int
) -> Iterator[tuple[Array, Array]]:
    """The map and the prototypes at each look of the joint fit."""
    pairs, owners, weights = pooled(train)
    if not len(pairs):
        raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
    random = torch.Generator().manual_seed(seed)
    vectors = train.texts.vectors
    both = [torch.tensor(vectors[at], dtype=torch.float32) for at in (pairs.chosen, pairs.rejected)]
    prompts = torch.tensor(asked(pairs), dtype=torch.float32)
    whose, counts = torch.tensor(owners), torch.tensor(weights, dtype=torch.float32)
    width = vectors.shape[1]
    texts = torch.randn(width, method.width, generator=random).div(width**0.5).requires_grad_()
    prototypes = torch.randn(*shape, generator=random).div(shape[1] ** 0.5).requires_grad_()
    people = torch.zeros(int(whose.max()) + 1, shape[0], requires_grad=True)
    optimizer = torch.optim.Adam([texts, prototypes, people], lr=method.learning_rate)
    for step in range(1, max(_LOOKS) + 1):
        with one_thread():
            liked, other = both[0] @ texts, both[1] @ texts
            mixture = torch.softmax(people, 1)[whose]
            if len(shape) == 2:
                point = mixture @ prototypes
                logits = (other - point).square().sum(1) - (liked - point).square().sum(1)
            else:
                maps = torch.einsum("nf,kfw->nkw", prompts, prototypes)
                logits = ((liked - other) * (mixture[..., None] * maps).sum(1)).sum(1)
            loss = (torch.nn.functional.softplus(-logits) * counts).sum() / len(people)
            total = loss + method.decay * (texts.square().sum() + prototypes.square().sum())
            optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if step in _LOOKS:
            yield _copy(texts), _copy(prototypes)


def _copy(tensor: torch.Tensor) -> Array:
    return np.array(tensor.detach().numpy(), dtype=np.float64)
