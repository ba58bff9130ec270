"""Drift: what a language model would rather say under an attribute tells how much a text has of it.

For each attribute ``j`` (an instruction such as "answer briefly"),

    z_j(y) = log p(y | attribute j) - log p(y | no attribute),      nats per token,
    logit(d) = slope (b . d + w_u . (z(chosen) - z(rejected))),     w_u ~ N(m, tau^2 I),

with ``b`` the user-blind weights, ``m`` the attributes that everyone likes beyond them, and ``w_u``
the mode of a logistic regression on the person's own pairs. ``m``'s ridge, ``tau`` and the slope
are chosen on people kept aside. The attributes have names, so that a state reads as words.

Source: Drift, Kim et al. 2025, arXiv:2502.14289 (decoding with the same weights is not done here).

Found when checking: prompts are left out of the likelihoods, so that one reading of a text serves
all its pairs, and 8 attributes of 128 texts are read in about a minute on one core. With the
embedded model of 135 million parameters the ratios carry something of the person: on dsp, three
seeds, .603 [.553, .650] at 8 shots, .114 above another person's history, .476 without any; on
polis nothing showed (one seed, .728 in either case). The features tell little of the readings of
a text that was not read: .12 of their variance on dsp, .19 on polis, .51 on made-up texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from befit.align.rewards.blind import UserBlind, bradley_terry
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.reader import LocalReader, Reads
from befit.align.rewards.readings import Readings, log_ratios, read
from befit.align.rewards.tuning import chosen, episodes
from befit.belief.logistic import newton

ATTRIBUTES: Mapping[str, str] = {
    "brief": "Answer in as few words as possible.",
    "detailed": "Answer at length, with every detail.",
    "warm": "Answer warmly, like a caring friend.",
    "formal": "Answer formally, like an official letter.",
    "funny": "Answer with a joke.",
    "simple": "Answer in simple words that a child understands.",
    "technical": "Answer like an expert, with technical terms and numbers.",
    "critical": "Answer critically: say what is wrong and what must change.",
}
_WITHOUT = "Answer."
_RIDGES = (1e4, 100.0, 10.0, 1.0)  # of what everyone likes, from nothing at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A personal weight for each attribute.

    Attributes:
        reader: The language model that reads.
        attributes: Name -> instruction.
        most_texts: Texts that it reads; of others the features tell.
        widths: Prior standard deviations ``tau`` of a person's weights, to try.
    """

    asks_a_model: ClassVar[bool] = True

    reader: Reads = field(default_factory=LocalReader)
    attributes: tuple[tuple[str, str], ...] = tuple(ATTRIBUTES.items())
    most_texts: int = 128
    widths: tuple[float, ...] = (0.03, 0.1, 0.3, 0.6, 1.0, 2.0)

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "DriftFit":
        blind = UserBlind().fit(train, validation, seed=seed).weights
        wishes = [wish for _, wish in self.attributes]
        readings = read(
            train | validation,
            lambda texts: log_ratios(self.reader, wishes, _WITHOUT, texts),
            self.most_texts,
        )
        pairs = train.joined()[0].decided()
        z = readings.differences(pairs)
        tried = [
            DriftFit(
                names=tuple(name for name, _ in self.attributes),
                readings=readings,
                blind=blind,
                mean=bradley_terry(z, ridge, np.zeros(z.shape[1])),
                width=width,
                slope=1.0,
            )
            for ridge in _RIDGES
            for width in self.widths
        ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DriftFit:
    """Readings, and the prior of a person's weights.

    Attributes:
        names: Of the attributes.
        readings: How much of each a text has.
        blind: User-blind weights of the features, shape (width,).
        mean: Weights of the attributes before any answer, shape (attributes,).
        width: Prior standard deviation of each.
        slope: Of the logits.
    """

    names: tuple[str, ...]
    readings: Readings
    blind: Array
    mean: Array
    width: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """Each person's weights of the attributes, shape (attributes,)."""
        prior = self.width**2 * np.eye(len(self.mean))
        found = []
        for person in people:
            pairs = person.pairs.decided()
            z, common = self.readings.differences(pairs), pairs.differences @ self.blind
            found.append(newton(self.mean, prior, z, pairs.weights, common)[0])
        return found

    def logits(self, state: Array, pairs: Pairs) -> Array:
        found: Array = self.slope * (
            pairs.differences @ self.blind + self.readings.differences(pairs) @ state
        )
        return found

    def words(self, state: Array) -> Mapping[str, float]:
        """Attribute -> how much more of it than everyone this person likes, in its spreads."""
        return dict(zip(self.names, (state - self.mean).tolist(), strict=True))
