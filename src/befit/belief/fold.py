"""Folds evidence into beliefs: one Gaussian posterior over the named dimensions of a person.

``theta_d`` in [-1, 1] is the preferred position on dimension d, with the prior N(0, 1). An observed
value is ``N(value; theta_d, noise^2)``. A comparison of two texts is an ideal point in the
space of what is measured on them: the utility of a text of style f is ``-sharpness |f - theta|^2``,

    P(chosen > rejected) = sigmoid(sharpness (2 theta . (f_c - f_r) + |f_r|^2 - |f_c|^2)),

which is logistic in theta, and `belief.logistic.newton` folds it. Open topics are Gaussians of
their own. Each log-likelihood is weighted by age, scope and who reacted (`weigh`), so conflict is
resolved in the open: newer over older, this scope over the general one, precise over vague; what a
person states against what was observed before is taken as a change of mind. What is universal can
only be tightened. It keeps nothing: it is a pure function of the evidence.

Source: survey arXiv:2503.17003 section 4.1 (explicit and implicit signals, one estimator); Coombs
1964 (ideal points); West and Harrison 1997, ch. 6 (discounting the past).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from befit.belief.logistic import newton
from befit.core.people import EvidenceKind
from befit.core.preference import TOPIC, Dimension, Evidence, Preference, PreferenceSpace

CORRECTION = (
    0.05  # noise up to which a value replaces what was observed before in its scope or a wider one
)
SUPERSEDED = 0.1  # what is left of a value's weight once the person has stated the opposite
MOST_SOURCES = 32  # ids kept with one belief

_DAY = 86_400.0
_NEGLIGIBLE = 1e-3  # of the posterior's information; less is no source of a belief

Measure = Callable[[str], Mapping[str, float]]


def weigh(
    evidence: Evidence,
    at: datetime,
    scope: str,
    *,
    half_life_days: float = 365.0,
    backoff: float = 0.5,
    ai_trust: float = 0.5,
) -> float:
    """How much a piece of evidence counts on a day, in a scope; in [0, 1].

    Args:
        evidence: What was observed.
        at: The day; what came later counts 0.
        scope: Where; evidence of the scope itself counts whole, of an ancestor ``backoff`` for
            each level between, of any other scope 0.
        half_life_days: The age at which it counts half, > 0.
        backoff: In [0, 1].
        ai_trust: What a model's reaction counts, in [0, 1].
    """
    if evidence.at > at:
        return 0.0
    if evidence.scope and evidence.scope != scope and not scope.startswith(f"{evidence.scope}/"):
        return 0.0
    weight: float = 0.5 ** ((at - evidence.at).total_seconds() / _DAY / half_life_days)
    if evidence.scope != scope:
        weight *= backoff ** (_level(scope) - _level(evidence.scope))
    return weight * ai_trust if evidence.by == "ai" else weight


def _level(scope: str) -> int:
    return scope.count("/") + 1 if scope else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesFold:
    """The default inferer.

    Attributes:
        half_life_days: The age at which evidence counts half, > 0.
        backoff: What evidence of the next wider scope counts, in [0, 1].
        ai_trust: What a model's reaction counts beside a person's, in [0, 1].
        sharpness: How strictly a person chooses by distance in a comparison, > 0; 0.5 predicts
            the held-out choices of the LLMFAO workers best among 0.05 to 4.
        measure: Text -> surface features in [-1, 1]; without one, comparisons say nothing here.
    """

    half_life_days: float = 365.0
    backoff: float = 0.5
    ai_trust: float = 0.5
    sharpness: float = 0.5
    measure: Measure | None = None

    def infer(
        self, space: PreferenceSpace, evidence: Sequence[Evidence], at: datetime, scope: str
    ) -> Sequence[Preference]:
        """Beliefs that have evidence behind them: dimensions in the space's order, then topics."""
        weighed = [(e, self.weight(e, at, scope)) for e in _ordered(evidence)]
        weighed = [(e, weight) for e, weight in weighed if weight > 0.0]
        named = {d.name: d for d in space.dimensions}
        observed = _observe(named, weighed)
        measured = [d for d in space.dimensions if d.feature and not d.universal]
        compared = [(e, weight) for e, weight in weighed if e.pair is not None]
        if compared and measured and self.measure is not None:
            self._compare(self.measure, measured, observed, compared)
        topics = sorted(name for name in observed if name.startswith(TOPIC))
        names = [*(n for n in named if n in observed), *topics]
        return [observed[name].belief(name, scope) for name in names if observed[name].influence]

    def weight(self, evidence: Evidence, at: datetime, scope: str) -> float:
        """How much this evidence counts; see `weigh`."""
        return weigh(
            evidence,
            at,
            scope,
            half_life_days=self.half_life_days,
            backoff=self.backoff,
            ai_trust=self.ai_trust,
        )

    def _compare(
        self,
        measure: Measure,
        dimensions: Sequence[Dimension],
        observed: dict[str, "_Marginal"],
        compared: Sequence[tuple[Evidence, float]],
    ) -> None:
        """Fold comparisons into the marginals of the measured dimensions, in place."""
        chosen = _styles(measure, dimensions, [e.pair.chosen for e, _ in compared if e.pair])
        rejected = _styles(measure, dimensions, [e.pair.rejected for e, _ in compared if e.pair])
        weights = np.array([weight * e.pair.weight for e, weight in compared if e.pair])
        differences = 2.0 * self.sharpness * (chosen - rejected)
        offsets = self.sharpness * ((rejected**2).sum(axis=1) - (chosen**2).sum(axis=1))
        marginals = [observed.setdefault(d.name, _Marginal()) for d in dimensions]
        mean, covariance = newton(
            np.array([m.mean for m in marginals]),
            np.diag([1.0 / m.precision for m in marginals]),
            differences,
            weights,
            offsets,
        )
        # the most that one logistic observation can say of a dimension (Fisher information)
        information = weights[:, None] * differences**2 / 4.0
        for column, marginal in enumerate(marginals):
            marginal.precision = 1.0 / float(covariance[column, column])
            marginal.shift = float(mean[column]) * marginal.precision
            for (e, _), amount in zip(compared, information[:, column].tolist(), strict=True):
                if amount > _NEGLIGIBLE:
                    marginal.influence.append((amount, e.id))


@dataclass(slots=True)
class _Marginal:
    """One coordinate while it is being folded; starts at the prior N(0, 1)."""

    precision: float = 1.0
    shift: float = 0.0  # precision times mean
    influence: list[tuple[float, str]] = field(default_factory=list)

    @property
    def mean(self) -> float:
        return self.shift / self.precision

    def observe(self, value: float, precision: float, source: str) -> None:
        self.precision += precision
        self.shift += precision * value
        self.influence.append((precision, source))

    def belief(self, name: str, scope: str) -> Preference:
        """``weight`` is the share of the prior's doubt that is gone, in [0, 1)."""
        variance = min(1.0, 1.0 / self.precision)
        strongest = sorted(self.influence, key=lambda pair: (-pair[0], pair[1]))
        return Preference(
            dimension=name,
            mean=max(-1.0, min(1.0, self.mean)),
            std=sqrt(variance),
            weight=1.0 - variance,
            scope=scope,
            sources=tuple(dict.fromkeys(source for _, source in strongest[:MOST_SOURCES])),
        )


def _ordered(evidence: Iterable[Evidence]) -> list[Evidence]:
    """One of each id, in an order that does not depend on the order given."""
    return list({e.id: e for e in sorted(evidence, key=lambda e: (e.at, e.id))}.values())


def _observe(
    named: Mapping[str, Dimension], weighed: Sequence[tuple[Evidence, float]]
) -> dict[str, _Marginal]:
    """Fold the observed values, each name for itself."""
    said: dict[str, list[tuple[Evidence, float]]] = {}
    for e, weight in weighed:
        for name, value in e.values.items():
            dimension = named.get(name)
            if dimension is None and not name.startswith(TOPIC):
                continue  # of another space, or of another version of this one
            if dimension is not None and dimension.universal and value <= 0.0:
                continue
            if not (dimension and dimension.universal):
                before = said.get(name, ())
                said[name] = (
                    _narrower(before, e.scope)
                    if e.noise <= CORRECTION
                    else _superseded(before, name, e)
                )
            said.setdefault(name, []).append((e, weight))
    found = {name: _Marginal() for name in said}
    for name, marginal in found.items():
        for e, weight in said[name]:
            marginal.observe(e.values[name], weight / (e.noise * e.noise), e.id)
    return found


def _narrower(said: Iterable[tuple[Evidence, float]], scope: str) -> list[tuple[Evidence, float]]:
    """What a correction in ``scope`` leaves standing: what was said of narrower scopes."""
    return [(e, weight) for e, weight in said if _level(e.scope) > _level(scope)]


def _superseded(
    before: Iterable[tuple[Evidence, float]], name: str, e: Evidence
) -> list[tuple[Evidence, float]]:
    """What was observed before, with less weight where the person now states the opposite."""
    if e.kind is not EvidenceKind.STATED or e.by == "ai":
        return list(before)
    return [
        (
            old,
            weight * SUPERSEDED
            if old.values[name] * e.values[name] < 0.0 and _level(old.scope) <= _level(e.scope)
            else weight,
        )
        for old, weight in before
    ]


def _styles(
    measure: Measure, dimensions: Sequence[Dimension], texts: Sequence[str]
) -> NDArray[np.float64]:
    """The measured dimensions of texts, shape (len(texts), len(dimensions))."""
    measured = [measure(text) for text in texts]
    return np.array([[each.get(d.feature, 0.0) for d in dimensions] for each in measured])
