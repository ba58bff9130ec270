"""LoRe by its authors' own code, under the protocol of ``befit evaluate reward``.

``git clone https://github.com/facebookresearch/LoRe``, then, with ``BEFIT_PEER_LORE=LoRe``,
``befit evaluate reward --data dsp --method benchmarks/peers/lore.py:LoRe,lore``.
None of that code is here; its licence forbids commercial use.

The checkout's ``solve_regularized`` fits the directions, with the steps and step size of its run on
RedditTLDR, and its ``learn_multiple_few_shot`` a new person's weights. What it leaves open is
chosen here on the people kept aside: the rank, and a scale of the features, for it divides logits
by 100 because its own features are long. A person without a history gets the mean weights of the
people learned from, which it does not define. A person's start is drawn at random there, so what
else is adapted changes a state a little: here one person is adapted at a time, from one seed.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from befit.align.rewards.kernel import unit
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes
from befit.align.train.episodic import one_thread
from befit.core.errors import ConfigError, NotEnoughFeedbackError
from befit.evaluate.methods import load_file

ASIDE = 40  # people to choose by: the checkout adapts them one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class LoRe:
    """LoRe, by the authors' code.

    Attributes:
        checkout: Folder of the authors' repository, as BEFIT_PEER_LORE names it.
        ranks: How many directions to try.
        scales: Lengths of a difference of features to try.
        steps: Of the joint fit.
        rate: Step size of the joint fit.
        adapt_steps: Of a new person's fit.
        adapt_rate: Step size of a new person's fit.
    """

    checkout: str = field(default_factory=lambda: os.environ.get("BEFIT_PEER_LORE", ""))
    ranks: tuple[int, ...] = (2, 5)
    scales: tuple[float, ...] = (3.0, 30.0)
    steps: int = 1000
    rate: float = 0.5
    adapt_steps: int = 500
    adapt_rate: float = 0.1

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    @one_thread()
    def fit(self, train: Population, validation: Population, *, seed: int) -> "LoReFit":
        code = authors(self.checkout)
        people = [person.pairs.decided() for person in train]
        people = [pairs for pairs in people if len(pairs)]
        if not people:
            raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
        tried = []
        for rank in self.ranks:
            for scale in self.scales:
                x = [differences(pairs, scale) for pairs in people]
                torch.manual_seed(seed)
                weights, basis = code.solve_regularized(
                    torch.zeros(x[0].shape[1]), 0, x, rank, self.steps, self.rate
                )
                tried.append(
                    LoReFit(
                        basis=basis.numpy().astype(np.float64),
                        common=weights.detach().numpy().mean(axis=0).astype(np.float64),
                        scale=scale,
                        slope=1.0,
                        seed=seed,
                        method=self,
                    )
                )
        asked = episodes(validation, seed, most_people=ASIDE)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoReFit:
    """The directions that the authors' code found.

    Attributes:
        basis: Shape (width, rank).
        common: Mean weights of the people learned from, shape (rank,).
        scale: Length of a difference of features.
        slope: Of the logits.
        seed: Of each person's start.
        method: Its options.
    """

    basis: Array
    common: Array
    scale: float
    slope: float
    seed: int
    method: LoRe

    @one_thread()
    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """Each person's weights, shape (rank,)."""
        code = authors(self.method.checkout)
        return [self._weights(code, person.pairs.decided()) for person in people]

    def logits(self, state: Array, pairs: Pairs) -> Array:
        seen = self.scale * unit(pairs.differences) @ self.basis / 100.0
        found: Array = self.slope * (seen @ state)
        return found

    def _weights(self, code: ModuleType, pairs: Pairs) -> Array:
        if not len(pairs):
            return self.common
        torch.manual_seed(self.seed)
        basis = torch.tensor(self.basis, dtype=torch.float32)
        x = [differences(pairs, self.scale)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # its softmax names no dimension
            (weights,) = code.learn_multiple_few_shot(
                x, basis, self.method.adapt_steps, self.method.adapt_rate
            )
        found: Array = weights.numpy().astype(np.float64)
        return found


def differences(pairs: Pairs, scale: float) -> torch.Tensor:
    """Chosen less rejected, as the authors' code reads them."""
    return torch.tensor(scale * unit(pairs.differences), dtype=torch.float32)


def authors(checkout: str) -> ModuleType:
    """The module of the checkout that holds the method.

    Raises:
        ConfigError: No checkout is named.
    """
    if not checkout:
        raise ConfigError(
            "no checkout of LoRe is named",
            hint="set BEFIT_PEER_LORE to the folder of the authors' repository",
            field="checkout",
        )
    return load_file(Path(checkout) / "utils.py")
