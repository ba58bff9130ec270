"""GPO: a transformer reads a person's pairs as context and predicts the next ones, never adapting.

A neural process: each shown pair and each pair asked about is one token, made of its difference;
no position is told, so the order is nothing. Tokens asked about attend to the shown ones alone, and
not to one another. The logit is the odd part ``(f(d) - f(-d)) / 2``, so that a pair turned round
has the negative logit exactly.

Source: Zhao, Dang and Grover 2024, "Group preference optimization", ICLR 2024, arXiv:2310.11523.

Found when checking: a shown token that carries no mark of having been preferred leaves nothing to
carry over to a pair asked about, and the model stays user-blind (.47 on dsp at 8 shots); with the
mark, and with attention that starts as likeness, it learns (.59).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from befit.align.rewards.kernel import unit
from befit.align.rewards.method import softmax
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.rehearsing import LOGIT, Episode, Rehearsal, asked_loss, rehearse
from befit.align.rewards.tuning import chosen, episodes

_NEVER = -1e9  # attention to what is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpo:
    """In-context prediction by attention.

    Attributes:
        width: Of a token.
        layers: Of attention.
        steps: Of the training.
        learning_rates: Of the training, to try.
    """

    width: int = 48
    layers: int = 2
    steps: int = 400
    learning_rates: tuple[float, ...] = (0.003, 0.01)

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "GpoFit":
        rehearsal = Rehearsal.of(train, _unit)
        tried = [
            GpoFit(weights=weights, layers=self.layers, slope=1.0)
            for rate in self.learning_rates
            for weights in self._looks(rehearsal, rate, seed)
        ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))

    def _looks(self, rehearsal: Rehearsal, rate: float, seed: int) -> Iterator[Mapping[str, Array]]:
        x = rehearsal.rows
        random = torch.Generator().manual_seed(seed)
        shapes = {"in": (x.shape[1], self.width)}
        for layer in range(self.layers):
            shapes |= {f"{part}{layer}": (self.width, self.width) for part in "qkvof"}
        w = {
            name: (torch.randn(*shape, generator=random) / shape[0] ** 0.5).requires_grad_()
            for name, shape in shapes.items()
        }
        for layer in range(self.layers):  # attention starts as likeness
            for part in "qk":
                w[f"{part}{layer}"] = (2.0 * torch.eye(self.width)).requires_grad_()
        w["said"] = torch.randn(self.width, generator=random).requires_grad_()
        w["common"] = torch.zeros(x.shape[1], requires_grad=True)
        out = torch.randn(self.width, generator=random) / self.width**0.5
        w["out"] = out.requires_grad_()

        def losses(episode: Episode) -> torch.Tensor:
            shown, asked = x[torch.from_numpy(episode.shown)], x[torch.from_numpy(episode.asked)]
            there = torch.from_numpy(episode.shown_weights) > 0
            one, other = (self._read(w, shown, there, sign * asked) for sign in (1.0, -1.0))
            return asked_loss((one - other) / 2.0 + asked @ w["common"], episode)

        for _ in rehearse(
            rehearsal,
            list(w.values()),
            losses,
            seed=seed,
            steps=self.steps,
            learning_rate=rate,
            weight_decay=1e-4,
        ):
            yield {
                name: np.array(tensor.detach().numpy(), dtype=np.float64)
                for name, tensor in w.items()
            }

    def _read(
        self,
        w: Mapping[str, torch.Tensor],
        shown: torch.Tensor,
        there: torch.Tensor,
        asked: torch.Tensor,
    ) -> torch.Tensor:
        """A number for each pair asked about, shape (people, asked)."""
        context, target = shown @ w["in"], asked @ w["in"]
        said = w["said"]
        mask = torch.where(there, 0.0, _NEVER)[:, None]
        for layer in range(self.layers):
            keys, values = context @ w[f"k{layer}"], (context + said) @ w[f"v{layer}"]
            found = []
            for tokens in (context, target):
                scores = tokens @ w[f"q{layer}"] @ keys.transpose(1, 2) / keys.shape[2] ** 0.5
                nothing = torch.zeros_like(scores[..., :1])  # attending to nothing is allowed
                share = torch.softmax(torch.cat([scores + mask, nothing], 2), 2)[..., :-1]
                mixed = tokens + share @ values @ w[f"o{layer}"]
                found.append(mixed + torch.tanh(mixed @ w[f"f{layer}"]))
            context, target = found
        return target @ w["out"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GpoFit:
    """The transformer.

    Attributes:
        weights: Name -> array.
        layers: Of attention.
        slope: Of the logits.
    """

    weights: Mapping[str, Array]
    layers: int
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[tuple[Array, ...]]:
        """The context's tokens before each layer, shape (shown, width) each."""
        return [self._context(person.pairs.decided()) for person in people]

    def logits(self, state: tuple[Array, ...], pairs: Pairs) -> Array:
        x = _unit(pairs)
        odd = (self._read(state, x) - self._read(state, -x)) / 2.0
        found: Array = self.slope * (odd + x @ self.weights["common"])
        return found

    def _context(self, pairs: Pairs) -> tuple[Array, ...]:
        tokens = _unit(pairs) @ self.weights["in"]
        before = []
        for layer in range(self.layers):
            before.append(tokens)
            tokens = self._layer(layer, tokens, tokens)
        return tuple(before)

    def _read(self, state: tuple[Array, ...], x: Array) -> Array:
        tokens = x @ self.weights["in"]
        for layer, context in enumerate(state):
            tokens = self._layer(layer, context, tokens)
        found: Array = tokens @ self.weights["out"]
        return found

    def _layer(self, layer: int, context: Array, tokens: Array) -> Array:
        w = self.weights
        keys, values = context @ w[f"k{layer}"], (context + w["said"]) @ w[f"v{layer}"]
        scores = tokens @ w[f"q{layer}"] @ keys.T / np.sqrt(keys.shape[1])
        nothing = np.zeros((len(tokens), 1))
        share = softmax(np.hstack([scores, nothing]))[:, :-1]
        mixed = tokens + share @ values @ w[f"o{layer}"]
        found: Array = mixed + np.tanh(mixed @ w[f"f{layer}"])
        return found


def _unit(pairs: Pairs) -> Array:
    return LOGIT * unit(pairs.differences)
