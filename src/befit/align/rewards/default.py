"""The default reward: what everyone thinks of a text, and how a person differs from everyone.

Each text has 1 + r coordinates ``t = (agreed, B phi + e)``: what the population thinks of it, and
latent ones, of its features and, where several people met this very text, of itself. A person is a
Gaussian posterior over weights of them, folded by Newton from their comparisons:

    w ~ N((1, 0 .. 0), C),   logit(d) = w . (t_chosen - t_rejected),
    P = sigmoid(w . x / sqrt(1 + pi x' C_u x / 8)).

Who said nothing is the crowd exactly. The weight of the crowd is personal: how far one goes along.
How wide the prior is, is chosen on people kept aside. That people differ has to be seen there
beyond one standard error: else a history changes nothing, as on llmfao and stackexchange.

Where people answered "neither", so does the reward (`DefaultFit.ties`): with a threshold of the
person's own, a coordinate more of the same posterior, a tie says that two texts are near.

Found when checking (unseen people, one seed, accuracy at 8 shots; beside it the best user-blind
row and tuned MRM): polis .803 (.784, .743), its contested pairs .674 (.610, .622), jester5k .693
(.674, .683), movielens-small .702 (.648, .643), dsp .745 (.500, .713), multipico .666 (.665,
.632), llmfao .675 (.675, .666). Calibration error is at most .05 but on dsp and stackexchange,
which have few people. What helped, on people kept aside: effects of the very texts (polis .729 to
.787), prior variances from how much people vary along each direction (dsp log loss .617 to .605 at
4 shots). What did not, and was left out: bringing each pair's difference to one norm, a free mean
of the latent weights (it overfits small populations), fitting again on everyone at the end, and
ties as half an answer each way (llmfao .685 to .687 at no shots).

On people kept aside of those learned from (no test person was looked at), with standard errors,
helped:
- ties with a threshold of one's own: llmfao, log loss of "neither" .651 of its rate, .635 at no
  shots, .614 at 2, .605 at 8 (gain .045 +- .015); decided pairs as before (-.002 +- .002 at 8);
- a belief that the slope is near 1: stackexchange log loss .628 to .586 at no shots, .657 to .612
  at 4; dsp .632 to .630 at 4; llmfao .584 to .579 at no shots, .562 to .565 at 8.

What did not, and was left out: few people taking turns for all that is chosen, all fitted on in the
end (five fits; dsp accuracy +.003 +- .008 at 8, stackexchange -.016 +- .023); weaker ridges
(stackexchange .628 and .628); length as a coordinate of its own with a personal weight (accuracy
at 8: jester5k +.002 +- .001, movielens-small -.001 +- .001, multipico -.010 +- .006) and all of
style so (.000, +.006 +- .004, +.001 +- .003), for features hold both; what people say of
themselves in the prior mean (multipico -.013 +- .008 at 8); two or three populations of tastes
(log loss at 8: jester5k -.003 +- .002, synthetic-conflict -.005 +- .002, but +.043 +- .014 at no
shots; movielens-small +.004 +- .007). At no shots the default is level with a user-blind ridge
where people are few (stackexchange +.006 +- .018, dsp -.007 +- .010, llmfao -.007 +- .011) and
above it on multipico (+.026 +- .009).

`DefaultNoItem` is the same without anything of the very text.

Source: specification of the default, a hierarchical Bayesian factorised Bradley-Terry model;
survey arXiv:2503.17003 section 4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import pi
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from befit.align.rewards.agreed import Agreed, agree, met
from befit.align.rewards.pairs import Array, Indices, Pairs, Person, Population
from befit.align.rewards.strictness import answered, joint, strictness
from befit.align.rewards.tastes import (
    Crowd,
    Table,
    Tastes,
    Training,
    begin,
    losses,
    polish,
    train,
)
from befit.belief.gaussian import pack, unpack
from befit.belief.logistic import newton
from befit.belief.ties import chances
from befit.belief.ties import newton as fold_ties
from befit.core.preference import Gaussian
from befit.features.explaining import parts, told
from befit.features.recognition import digest

WIDTHS = (1e-6, 0.03, 0.1, 0.3, 0.6, 1.0, 1.6, 2.5)  # of the prior; the first is nobody differs
SLOPES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6)  # of the logits
STEADY = 4.0  # how strongly a slope of 1 is believed in, beside one person
_NODES = 9  # over which a threshold is averaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The default reward.

    Attributes:
        rank: How many coordinates, what everyone thinks included; >= 2.
        steps: Most steps of training.
    """

    items: ClassVar[bool] = True

    rank: int = 16
    steps: int = 400

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "DefaultFit":
        return _fit(
            train, validation, self.rank, Training(steps=self.steps), seed, items=self.items
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultNoItem(Default):
    """The default reward, with nothing of the very text: only its features count."""

    items: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DefaultFit:
    """Coordinates of texts, and the prior of a person.

    Attributes:
        basis: Features to coordinates, shape (1 + r, width).
        own: What a text that was met has beyond its features, shape (met, 1 + r).
        known: What each text that was met is recognised by; tells nobody what it was.
        mean: Of people's weights, shape (1 + r,).
        covariance: Of people's weights, shape (1 + r, 1 + r).
        threshold: Mean and variance of how readily people call it a tie, shape (2,); nothing where
            nobody did. With it a state has one coordinate more, the last: the person's threshold.
    """

    basis: Array
    own: Array
    known: tuple[str, ...]
    mean: Array
    covariance: Array
    threshold: Array = field(default_factory=lambda: np.zeros(0))
    prior: Gaussian = field(init=False, repr=False)
    _place: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prior", pack(*self._believed()))
        object.__setattr__(self, "_place", {name: i for i, name in enumerate(self.known)})

    def adapt(self, people: Sequence[Person]) -> Sequence[Gaussian]:
        """Each person's posterior: a fold over their comparisons, in any order."""
        return [self._posterior(person.pairs) for person in people]

    def logits(self, state: Gaussian, pairs: Pairs) -> Array:
        mean, covariance = self._taste(state)
        x = self._differences(pairs)
        found: Array = x @ mean / self._moderation(x, covariance)
        return found

    def spread(self, state: Gaussian, pairs: Pairs) -> Array:
        _, covariance = self._taste(state)
        x = self._differences(pairs)
        found: Array = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", x, covariance, x), 0.0))
        return found

    def explain(self, state: Gaussian, pairs: Pairs) -> list[dict[str, float]]:
        """Each logit in parts with names, the largest first; they add up to it.

        ``everyone: length`` is what everyone thinks of the length, ``person: length`` how this
        person differs; so for each feature of style, for ``meaning``, and for ``this very text``.
        """
        mean, covariance = self._taste(state)
        features = pairs.texts.features
        own = self._own(pairs, pairs.chosen) - self._own(pairs, pairs.rejected)
        moderation = self._moderation(self._differences(pairs), covariance)[:, None]

        def of(weights: Array) -> Array:
            return parts(features, pairs.differences, weights @ self.basis, own @ weights)

        return told(features, of(self.mean) / moderation, of(mean - self.mean) / moderation)

    def _moderation(self, x: Array, covariance: Array) -> Array:
        """What not knowing the person divides each logit by, >= 1, shape (n,)."""
        variances = np.maximum(np.einsum("ij,jk,ik->i", x, covariance, x), 0.0)
        found: Array = np.sqrt(1.0 + pi * variances / 8.0)
        return found

    def ties(self, state: Gaussian, pairs: Pairs) -> Array:
        """Probability that the person prefers neither side, shape (n,); 0 where nobody ever did."""
        if not len(self.threshold):
            return np.zeros(len(pairs))
        mean, covariance = unpack(state)
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        logits = self.logits(state, pairs)
        each = [
            chances(logits, mean[-1] + node * np.sqrt(covariance[-1, -1]))[:, 2] for node in nodes
        ]
        found: Array = weights @ np.array(each) / weights.sum()
        return found

    def with_ties(self, people: Population) -> "DefaultFit":
        """The same, with how readily these people call it a tie."""
        parts = [answered(person.pairs) for person in people]
        told = [(self._differences(p), p.preferred <= 0.5, p.weights) for p in parts]
        return replace(self, threshold=strictness(self.mean, self.covariance, told))

    def _believed(self) -> tuple[Array, Array]:
        """What is believed of a person who said nothing."""
        if len(self.threshold):
            return joint(self.mean, self.covariance, self.threshold)
        return self.mean, self.covariance

    def _taste(self, state: Gaussian) -> tuple[Array, Array]:
        """A state without the threshold."""
        mean, covariance = unpack(state)
        width = len(self.mean)
        return mean[:width], covariance[:width, :width]

    def _posterior(self, pairs: Pairs) -> Gaussian:
        pairs = answered(pairs) if len(self.threshold) else pairs.decided()
        if not len(pairs):
            return self.prior
        x = self._differences(pairs)
        if len(self.threshold):
            return pack(*fold_ties(*self._believed(), x, pairs.preferred <= 0.5, pairs.weights))
        return pack(*newton(self.mean, self.covariance, x, pairs.weights))

    def _differences(self, pairs: Pairs) -> Array:
        found: Array = pairs.differences @ self.basis.T
        return found + self._own(pairs, pairs.chosen) - self._own(pairs, pairs.rejected)

    def _own(self, pairs: Pairs, at: Indices) -> Array:
        found = np.zeros((len(at), len(self.mean)))
        for row, text in enumerate(at.tolist() if self.known else ()):
            place = self._place.get(digest(pairs.texts.names[text]), -1)
            if place >= 0:
                found[row] = self.own[place]
        return found


def _fit(
    people: Population,
    validation: Population,
    rank: int,
    training: Training,
    seed: int,
    *,
    items: bool,
) -> DefaultFit:
    agreed = agree(people, validation, items=items)
    crowd = Crowd.of(people, lambda pairs, owners: agreed.of_others(people, pairs, owners))
    held_out = Crowd.of(validation, lambda pairs, _owners: agreed.of(pairs))
    known = met(people) & items
    table = Table.of(known, crowd.pairs)
    begun = begin(crowd, table, rank - 1, seed)
    trained = train(begun, crowd, table, training, seed=seed, held_out=held_out)
    tried = [begun, polish(begun, crowd, table), trained, polish(trained, crowd, table)]
    tastes, slope = _chosen(tried, held_out, table, seed)
    fitted = _made(tastes, agreed, known, table, slope)
    return fitted.with_ties(people)


def _chosen(
    tried: Sequence[Tastes], held_out: Crowd, table: Table, seed: int
) -> tuple[Tastes, float]:
    """The best of them, with the width of the prior and then the slope that suit it best.

    That people differ has to be seen: unless each person's gain by it is beyond one standard error
    of its mean above 0, the width is the least.
    """
    found: list[tuple[float, Tastes, float]] = []
    for tastes in tried:
        by_width = losses(tastes, held_out, table, seed=seed, widths=WIDTHS)[:, 0]
        width = WIDTHS[int(np.argmin(by_width.mean(axis=1)))]
        gains = by_width[0] - by_width[WIDTHS.index(width)]
        if gains.mean() < gains.std() / np.sqrt(len(gains)):
            width = WIDTHS[0]
        better = replace(tastes, covariance=width * tastes.covariance)
        by_slope = steadied(losses(better, held_out, table, seed=seed, slopes=SLOPES)[0])
        at = int(np.argmin(by_slope))
        found.append((float(by_slope[at]), better, SLOPES[at]))
    _, best, slope = min(found, key=lambda each: each[0])
    return best, slope


def steadied(lost: Array) -> Array:
    """Mean loss under each slope; few people say less than the belief that it is near 1.

    Args:
        lost: Of each person under each of `SLOPES`, in nats a pair, shape (slopes, people).

    Returns:
        What a slope is chosen by, shape (slopes,).
    """
    found: Array = lost.mean(axis=1) + STEADY * np.log(SLOPES) ** 2 / lost.shape[1]
    return found


def _made(
    tastes: Tastes, agreed: Agreed, known: NDArray[np.bool_], table: Table, slope: float
) -> DefaultFit:
    """All scales folded into the coordinates, so that whoever reads a posterior reads logits."""
    at = np.flatnonzero(known)
    return DefaultFit(
        basis=slope * np.vstack([agreed.weights, table.scale * tastes.basis]),
        own=slope * np.column_stack([agreed.effects[at], table.scale * tastes.own]),
        known=tuple(digest(table.texts.names[i]) for i in at.tolist()),
        mean=tastes.mean,
        covariance=tastes.covariance,
    )
