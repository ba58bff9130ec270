"""VPL: an encoder reads a person's pairs into a latent vector, and the reward is conditioned on it.

``q(z | D) = N(mu(D), sigma(D)^2)``, ``r(y, z)`` a small network of the text's features and ``z``;
trained on ``-log sigmoid(r(chosen) - r(rejected)) + beta KL(q | N(0, 1))`` on pairs that were not
shown. ``Vpl`` encodes each pair by a network of both sides and means over pairs; a person without a
history has ``z = 0``. ``VplOdd`` encodes by an odd function of the difference, ``sum_i a(|d_i|)
psi(d_i)`` with ``psi(-d) = -psi(d)``: a person who answers the other way round has exactly the
opposite ``z``, which plain VPL has to learn and does not.

Source: Poddar et al. 2024, VPL, NeurIPS 2024, arXiv:2408.10075; swap symmetry as the cure of
posterior collapse: SPL, 2026, arXiv:2603.12595.

Found when checking: the official scripts train with a weight of the KL of 0 or 3e-6, so hardly
variationally; the latent is normalised to a fixed length, which leaves nobody in the middle. Here
``beta`` is chosen, and ``z`` keeps its length, so that few pairs move a person little.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from befit.align.rewards.kernel import unit
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.rehearsing import LOGIT, Episode, Rehearsal, asked_loss, rehearse
from befit.align.rewards.tuning import chosen, episodes

_PRIOR = 2.0  # pairs by which a mean over few is shrunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpl:
    """A variational encoder of both sides of each pair.

    Attributes:
        latent: Length of ``z``.
        hidden: Width of the networks.
        betas: Weight of the KL, to try.
        steps: Of the training.
        learning_rate: Of the training.
    """

    odd: ClassVar[bool] = False

    latent: int = 16
    hidden: int = 48
    betas: tuple[float, ...] = (1e-3, 3e-2)
    steps: int = 400
    learning_rate: float = 0.003

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "VplFit":
        return _best(self, train, validation, seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class VplOdd(Vpl):
    """A variational encoder that is odd in each pair's difference."""

    odd: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VplFit:
    """The encoder and the conditioned reward.

    Attributes:
        weights: Name -> array; the networks of `_made`.
        odd: Whether the encoder is odd.
        slope: Of the logits.
    """

    weights: Mapping[str, Array]
    odd: bool
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """``mu`` of each person, shape (latent,)."""
        return [self._latent(person.pairs.decided()) for person in people]

    def logits(self, state: Array, pairs: Pairs) -> Array:
        vectors = pairs.texts.vectors
        one, other = (self._reward(vectors[at], state) for at in (pairs.chosen, pairs.rejected))
        found: Array = self.slope * (one - other)
        return found

    def _latent(self, pairs: Pairs) -> Array:
        w = self.weights
        if self.odd:
            d = LOGIT * unit(pairs.differences)
            gate = 1.0 / (1.0 + np.exp(-(np.abs(d) @ w["gate"])))
            coded = gate * np.tanh(d @ w["psi"])
        else:
            vectors = pairs.texts.vectors
            both = np.hstack([vectors[pairs.chosen], vectors[pairs.rejected]])
            coded = np.maximum(both @ w["psi"] + w["psi_bias"], 0.0)
        total = (coded * pairs.weights[:, None]).sum(axis=0) / (pairs.weights.sum() + _PRIOR)
        found: Array = total @ w["mu"]
        return found

    def _reward(self, vectors: Array, state: Array) -> Array:
        w = self.weights
        hidden = np.maximum(vectors @ w["text"] + state @ w["person"] + w["bias"], 0.0)
        found: Array = hidden @ w["out"] + vectors @ w["common"] + (vectors @ w["cross"]) @ state
        return found


def _best(method: Vpl, train: Population, validation: Population, seed: int) -> VplFit:
    rehearsal = Rehearsal.of(train, lambda pairs: LOGIT * unit(pairs.differences))
    tried = [
        VplFit(weights=weights, odd=method.odd, slope=1.0)
        for beta in method.betas
        for weights in _looks(method, rehearsal, beta, seed)
    ]
    asked = episodes(validation, seed, most_people=100)
    return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


def _made(width: int, method: Vpl, seed: int) -> dict[str, torch.Tensor]:
    """The networks at the start, by name."""
    random = torch.Generator().manual_seed(seed)
    hidden, latent = method.hidden, method.latent
    seen = width if method.odd else 2 * width
    shapes = {
        "psi": (seen, hidden),
        "gate": (seen, hidden),
        "mu": (hidden, latent),
        "text": (width, hidden),
        "person": (latent, hidden),
        "cross": (width, latent),
    }
    made = {
        name: torch.randn(*shape, generator=random) / shape[0] ** 0.5
        for name, shape in shapes.items()
    }
    zeros = {"psi_bias": hidden, "bias": hidden, "out": hidden, "common": width, "spread": hidden}
    made |= {name: torch.zeros(size) for name, size in zeros.items()}
    made["out"] = torch.randn(hidden, generator=random) / hidden**0.5
    return {name: tensor.requires_grad_() for name, tensor in made.items()}


def _looks(
    method: Vpl, rehearsal: Rehearsal, beta: float, seed: int
) -> Iterator[Mapping[str, Array]]:
    pairs = rehearsal.pairs
    vectors = torch.tensor(pairs.texts.vectors, dtype=torch.float32)
    x = rehearsal.rows
    one, other = torch.tensor(pairs.chosen), torch.tensor(pairs.rejected)
    w = _made(vectors.shape[1], method, seed)
    random = torch.Generator().manual_seed(seed + 1)

    def reward(texts: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(texts @ w["text"] + (z @ w["person"])[:, None] + w["bias"])
        cross = ((texts @ w["cross"]) * z[:, None]).sum(2)
        return hidden @ w["out"] + texts @ w["common"] + cross

    def losses(episode: Episode) -> torch.Tensor:
        shown, asked = torch.from_numpy(episode.shown), torch.from_numpy(episode.asked)
        counts = torch.from_numpy(episode.shown_weights)
        if method.odd:
            d = x[shown]
            coded = torch.sigmoid(d.abs() @ w["gate"]) * torch.tanh(d @ w["psi"])
        else:
            both = torch.cat([vectors[one[shown]], vectors[other[shown]]], 2)
            coded = torch.relu(both @ w["psi"] + w["psi_bias"])
        total = (coded * counts[..., None]).sum(1) / (counts.sum(1, keepdim=True) + _PRIOR)
        mean = total @ w["mu"]
        log_variance = -torch.nn.functional.softplus(total.abs() @ w["spread"])[:, None].expand_as(
            mean
        )
        noise = torch.randn(mean.shape, generator=random)
        z = mean + noise * (0.5 * log_variance).exp()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)
        logits = reward(vectors[one[asked]], z) - reward(vectors[other[asked]], z)
        return asked_loss(logits, episode) + beta * divergence

    for _ in rehearse(
        rehearsal,
        list(w.values()),
        losses,
        seed=seed,
        steps=method.steps,
        learning_rate=method.learning_rate,
        weight_decay=1e-4,
    ):
        yield {
            name: np.array(tensor.detach().numpy(), dtype=np.float64)
            for name, tensor in w.items()
            if name != "spread"
        }
