"""VPL by its authors' own model, under the protocol of ``befit evaluate reward``.

``git clone https://github.com/WEIRDLabUW/vpl_llm``, then, with ``BEFIT_PEER_VPL=vpl_llm``,
``befit evaluate reward --data dsp --method benchmarks/peers/vpl.py:Vpl,vpl``.
None of that code is here.

The checkout's networks, loss and annealing of the KL are used, with the widths and the weight of
its scripts. Its trainer is not: it hands the model masks that the model does not take. What it
leaves open for texts that are embedded once is chosen here on the people kept aside: step size and
number of steps. A person without a history gets the mean of the prior, which it does not define.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes
from befit.align.train.episodic import one_thread
from befit.core.errors import ConfigError, NotEnoughFeedbackError
from befit.evaluate.methods import load_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpl:
    """VPL, by the authors' model.

    Attributes:
        checkout: Folder of the authors' repository, as BEFIT_PEER_VPL names it.
        width: Of the networks and of the latent vector.
        kl: Weight of the KL, annealed as the authors do.
        rates: Step sizes to try.
        looks: After how many steps to look; the best look is kept.
        batch: People in a step.
        shown: At most so many pairs of a person are shown in training.
    """

    checkout: str = field(default_factory=lambda: os.environ.get("BEFIT_PEER_VPL", ""))
    width: int = 512
    kl: float = 3e-6
    rates: tuple[float, ...] = (1e-4, 1e-3)
    looks: tuple[int, ...] = (150, 300, 600)
    batch: int = 32
    shown: int = 16

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    @one_thread()
    def fit(self, train: Population, validation: Population, *, seed: int) -> "VplFit":
        people = [pairs for person in train if len(pairs := person.pairs.decided()) > 1]
        if not people:
            raise NotEnoughFeedbackError("nobody has two decided pairs", hint="give more pairs")
        tried = [
            VplFit(weights=weights, slope=1.0, method=self)
            for rate in self.rates
            for weights in self._looks(people, rate, seed)
        ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))

    def _looks(
        self, people: Sequence[Pairs], rate: float, seed: int
    ) -> Iterator[Mapping[str, Array]]:
        code = authors(self.checkout)
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        model = made(code, self, people[0].texts.vectors.shape[1])
        annealer = code.Annealer(total_steps=1e4, shape="cosine", baseline=0.1, cyclical=True)
        optimizer = torch.optim.Adam(model.parameters(), lr=rate)
        model.train()
        for step in range(1, max(self.looks) + 1):
            some = rng.choice(len(people), min(self.batch, len(people)), replace=False)
            told, target = zip(*(self._split(people[at], rng) for at in some), strict=True)
            one, other, mean, log_var, _ = model(*sides(target), *sides(told), spans(told), None)
            kld = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=1).mean()
            loss = code.VAETrainer.per_sample_loss(one, other).mean() + self.kl * annealer(kld)
            annealer.step()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step in self.looks:
                yield {k: v.numpy().astype(np.float64) for k, v in model.state_dict().items()}

    def _split(self, pairs: Pairs, rng: np.random.Generator) -> tuple[Pairs, Pairs]:
        """Some pairs of a person to show, and one to ask."""
        order = rng.permutation(len(pairs))
        many = int(rng.integers(1, min(self.shown, len(pairs) - 1) + 1))
        return pairs.take(order[1 : 1 + many]), pairs.take(order[:1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VplFit:
    """The networks.

    Attributes:
        weights: Name -> array, as the authors' model names them.
        slope: Of the logits.
        method: Its options.
    """

    weights: Mapping[str, Array]
    slope: float
    method: Vpl

    @one_thread()
    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """The mean of each person's latent vector, shape (width,)."""
        model = None
        states = []
        for person in people:
            pairs = person.pairs.decided()
            if not len(pairs):
                states.append(np.zeros(self.method.width))
                continue
            model = model or self._model(pairs)
            with torch.no_grad():
                coded = model.encode_pair(*sides([pairs]))
                mean, _ = model.encode_sequence(coded, spans([pairs]))
            states.append(torch.clamp(mean, -1, 1)[0].numpy().astype(np.float64))
        return states

    @one_thread()
    def logits(self, state: Array, pairs: Pairs) -> Array:
        if not len(pairs):
            return np.zeros(0)
        latent = torch.tensor(state, dtype=torch.float32).expand(len(pairs), -1)
        with torch.no_grad():
            one, other = self._model(pairs).decode(*sides([pairs]), latent)
        found: Array = self.slope * (one - other)[:, 0].numpy().astype(np.float64)
        return found

    def _model(self, pairs: Pairs) -> Any:
        model = made(authors(self.method.checkout), self.method, pairs.texts.vectors.shape[1])
        held = {k: torch.tensor(v, dtype=torch.float32) for k, v in self.weights.items()}
        model.load_state_dict(held)
        model.eval()
        return model


def made(code: ModuleType, method: Vpl, features: int) -> Any:
    """The authors' model over texts that are already embedded."""
    return code.VAEModel(features, features, method.width, method.width, None, None)


def sides(some: Sequence[Pairs]) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of the chosen and of the rejected texts, person after person."""
    one, other = (
        np.concatenate([pairs.texts.vectors[getattr(pairs, side)] for pairs in some])
        for side in ("chosen", "rejected")
    )
    return torch.tensor(one, dtype=torch.float32), torch.tensor(other, dtype=torch.float32)


def spans(some: Sequence[Pairs]) -> list[tuple[int, int]]:
    """Where each person's pairs begin and end."""
    ends = np.cumsum([len(pairs) for pairs in some]).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def authors(checkout: str) -> ModuleType:
    """The module of the checkout that holds the networks.

    Raises:
        ConfigError: No checkout is named.
    """
    if not checkout:
        raise ConfigError(
            "no checkout of VPL is named",
            hint="set BEFIT_PEER_VPL to the folder of the authors' repository",
            field="checkout",
        )
    if find_spec("wandb") is None:  # it logs to a service, which nothing here asks for
        sys.modules["wandb"] = ModuleType("wandb")
    try:
        return load_file(Path(checkout) / "hidden_context" / "vae_utils.py")
    finally:
        if getattr(sys.modules.get("wandb"), "__spec__", None) is None:
            sys.modules.pop("wandb", None)
