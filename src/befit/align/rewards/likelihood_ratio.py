"""The likelihood ratio as a reward: how much likelier a reply is of someone who likes such things.

A few people learned from, who differ most from each other, lend what they liked as contexts ``c_m``
of a language model. A text is read in each of them,

    z_m(y) = log p(y | c_m) - mean_l log p(y | c_l),                nats per token,

its pointwise mutual information with the context. A person's history says by Bayes which of the
contexts is theirs, and their reward is the mutual information with that:

    a_m ~ exp(sharpness sum_i (z_m(chosen_i) - z_m(rejected_i))),
    logit(d) = slope (b . d + gain sum_m a_m (z_m(chosen) - z_m(rejected))),

``b`` the user-blind weights. Nothing of the model is trained; sharpness, gain and slope are chosen
on people kept aside. What is fitted holds none of the texts that were lent.

Source: context steering, He et al. 2024, arXiv:2405.01768 (the difference of log-likelihoods with
and without a context; inferring the context by Bayes).

Found when checking: the published reward puts the person's own history into the prompt, which
costs a pass of the model for each pair of a history and a text; contexts of the population cost six
for each text, and a minute for a fit. With the embedded model of 135 million parameters little of
the person shows: on dsp, three seeds, .543 [.487, .599] at 8 shots, .056 above another person's
history, .480 without any; on made-up people of two opposite tastes nothing (one seed).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from befit.align.rewards.blind import UserBlind
from befit.align.rewards.kernel import unit
from befit.align.rewards.method import softmax
from befit.align.rewards.pairs import Array, Indices, Pairs, Person, Population
from befit.align.rewards.reader import LocalReader, Reads
from befit.align.rewards.readings import MOST_NATS, Readings, read, remembered
from befit.align.rewards.tuning import chosen, episodes
from befit.core.errors import NotEnoughFeedbackError

SHARPNESS = (0.03, 0.1, 0.3, 1.0, 3.0)
GAINS = (0.03, 0.1, 0.3, 1.0, 3.0)
_SHRINK = 4.0  # pairs that a person's mean direction counts as, before it may stand out
_CLIPPED = 150  # characters of a text that is lent


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodRatio:
    """Mutual information with what people alike have liked.

    Attributes:
        reader: The language model that reads.
        contexts: People who lend what they liked, even, >= 2.
        lent: Texts that each of them lends.
        most_texts: Texts that it reads; of others the features tell.
        sharpness: How far one pair moves between contexts, to try.
        gains: Logits of a spread of the readings, to try.
    """

    asks_a_model: ClassVar[bool] = True

    reader: Reads = field(default_factory=LocalReader)
    contexts: int = 6
    lent: int = 4
    most_texts: int = 128
    sharpness: tuple[float, ...] = SHARPNESS
    gains: tuple[float, ...] = GAINS

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "InferredFit":
        openings = [_opening(pairs, self.lent) for pairs in poles(train, self.contexts)]

        def ask(texts: Sequence[str]) -> Array:
            nats = np.column_stack([remembered(self.reader, each, texts) for each in openings])
            found: Array = np.clip(nats - nats.mean(axis=1, keepdims=True), -MOST_NATS, MOST_NATS)
            return found

        readings = read(train | validation, ask, self.most_texts)
        return inferred(
            readings, train, validation, sharpness=self.sharpness, gains=self.gains, seed=seed
        )


def inferred(
    readings: Readings,
    train: Population,
    validation: Population,
    *,
    sharpness: Sequence[float],
    gains: Sequence[float],
    seed: int,
) -> "InferredFit":
    """The reward that people kept aside are predicted by best."""
    blind = UserBlind().fit(train, validation, seed=seed).weights
    tried = [
        InferredFit(readings=readings, blind=blind, sharpness=sharp, gain=gain, slope=1.0)
        for sharp in sharpness
        for gain in gains
    ]
    asked = episodes(validation, seed, most_people=100)
    return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InferredFit:
    """Readings in a few contexts, and how a history chooses among them.

    Attributes:
        readings: Of texts, in each context.
        blind: User-blind weights of the features, shape (width,).
        sharpness: How far one pair moves between contexts.
        gain: Logits of a spread of the readings.
        slope: Of all of it.
    """

    readings: Readings
    blind: Array
    sharpness: float
    gain: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """How probably each context is the person's, shape (contexts,)."""
        found = []
        for person in people:
            pairs = person.pairs.decided()
            told = (self.readings.differences(pairs) * pairs.weights[:, None]).sum(axis=0)
            found.append(softmax(self.sharpness * told))
        return found

    def logits(self, state: Array, pairs: Pairs) -> Array:
        found: Array = self.slope * (
            pairs.differences @ self.blind + self.gain * (self.readings.differences(pairs) @ state)
        )
        return found


def poles(people: Population, count: int) -> list[Pairs]:
    """The pairs of people who differ most from each other, what is most their own first.

    Two for each direction in which people's mean choices differ, one from either end.

    Args:
        people: Whom to choose from.
        count: How many, even; fewer where there are fewer people.

    Raises:
        NotEnoughFeedbackError: Nobody has a decided pair.
    """
    own = [pairs for person in people if len(pairs := person.pairs.decided())]
    if not own:
        raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
    sums = np.array([unit(pairs.differences).sum(axis=0) for pairs in own])
    means = sums / (np.array([len(pairs) for pairs in own]) + _SHRINK)[:, None]
    means -= means.mean(axis=0)
    _, _, directions = np.linalg.svd(means, full_matrices=False)
    return [
        own[at].take(_most_like(own[at], direction)) for at, direction in _ends(means, directions)
    ][:count]


def _ends(means: Array, directions: Array) -> Iterator[tuple[int, Array]]:
    """Who stands at either end of each direction and at none before; both ends together."""
    taken: set[int] = set()
    for direction in directions:
        order = [at for at in np.argsort(means @ direction).tolist() if at not in taken]
        if len(order) < 2:
            return
        taken |= {order[0], order[-1]}
        yield order[-1], direction
        yield order[0], -direction


def _most_like(pairs: Pairs, direction: Array) -> Indices:
    found: Indices = np.argsort(-(unit(pairs.differences) @ direction), kind="stable")
    return found


def _opening(pairs: Pairs, lent: int) -> str:
    names = [pairs.texts.names[at] for at in pairs.chosen.tolist()]
    liked = "\n".join(f"- {clipped(name)}" for name in list(dict.fromkeys(names))[:lent])
    return f"I like texts such as these:\n{liked}\n\nWrite one more that I will like."


def clipped(text: str) -> str:
    """One line of it, so that several fit into a small model's attention."""
    return " ".join(text.split())[:_CLIPPED]
