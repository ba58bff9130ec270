"""Folds evidence into beliefs: one Gaussian posterior over the named dimensions of a person.

``theta_d`` in [-1, 1] is the preferred position on dimension d; before any evidence it is the
population's and the groups' (`belief.prior`), else N(0, 1). A value said or inferred is
``N(value; theta_d, noise^2)``. A comparison of two texts is an ideal point in the space of what is
measured on them: the utility of a text of style f is ``-sharpness |f - theta|^2``,

    P(chosen > rejected) = sigmoid(sharpness (2 theta . (f_c - f_r) + |f_r|^2 - |f_c|^2)),

which is logistic in theta, and so is a grade beside the person's own scale (`belief.ordinal`); one
`belief.logistic.newton` folds both. Open topics are Gaussians of their own. Each log-likelihood is
weighted by age, scope and who reacted (`weigh`). What speaks against each other is settled in the
open (`belief.conflict`), and where a person changed, a new version begins (`belief.change`); who
does otherwise at certain times is believed to do so again (`belief.recurrence`). What is universal
can only be tightened. Words that are not the person's move nothing. It keeps nothing:
it is a pure function of the evidence.

Source: survey arXiv:2503.17003 section 4.1 (explicit and implicit signals, one estimator); Coombs
1964 (ideal points); West and Harrison 1997, ch. 6 (discounting the past).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from befit.belief.choices import Choices, Measure, observed
from befit.belief.clock import Clock, Moment
from befit.belief.conflict import (
    CHANGED,
    CORRECTION,
    DEEDS,
    IMPLICIT,
    Weighed,
    explicit,
    in_words,
    settle,
)
from befit.belief.gaussian import Vector
from befit.belief.learned import Live
from befit.belief.marginal import Marginal
from befit.belief.prior import GROUP, Prior
from befit.belief.scopes import distance, timeless
from befit.core.people import EvidenceKind
from befit.core.preference import TOPIC, Dimension, Evidence, Preference, PreferenceSpace
from befit.core.protocols import ArtifactStore

__all__ = ["CORRECTION", "BayesFold", "Measure", "weigh"]

_DAY = 86_400.0
_RELEVANT = 0.1  # share of a doubt that has to be gone for a related dimension to be believed in
_UNMOVED = "What asked for less of it was not followed: it holds for everyone."


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
        at: The day; what came or became known later counts 0.
        scope: Where; evidence of the scope itself counts whole, of one that it lies in ``backoff``
            for each level between (see `belief.scopes`), of any other 0.
        half_life_days: The age at which it counts half, > 0.
        backoff: In [0, 1].
        ai_trust: What a model's reaction counts, in [0, 1].
    """
    if evidence.at > at or (evidence.learned is not None and evidence.learned > at):
        return 0.0
    levels = distance(evidence.scope, scope)
    if levels is None:
        return 0.0
    weight: float = 0.5 ** ((at - evidence.at).total_seconds() / _DAY / half_life_days)
    if levels:
        weight *= backoff**levels
    return weight * ai_trust if evidence.by == "ai" else weight


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesFold:
    """The default inferer.

    Attributes:
        half_life_days: The age at which evidence counts half, > 0; or for each dimension (or
            topic) its own, where ``""`` is that of all others (365 without one). See
            `belief.decay.fit_half_lives`.
        backoff: What evidence of the next wider scope counts, in [0, 1].
        ai_trust: What a model's reaction counts beside a person's, in [0, 1].
        sharpness: How strictly a person chooses by distance in a comparison, > 0; 0.5 predicts
            the held-out choices of the LLMFAO workers best among 0.05 to 4.
        measure: Text -> surface features in [-1, 1]; without one, comparisons say nothing here.
        prior: The belief before any evidence; None is what was learned, or N(0, 1) on each.
        false_alarms: Changes seen where there was none, per 1,000 reactions; 0 looks for none, nor
            for what comes back at weekends, in the evening or in winter.
        zone: Time zone by whose clock it is evening or a weekend; an IANA name.
        south: Whether people live south of the equator, where June is winter.
        artifacts: Where priors and half-lives are that were learned from everybody; what is set
            here counts over them. None knows of none.
    """

    half_life_days: float | Mapping[str, float] = 365.0
    backoff: float = 0.5
    ai_trust: float = 0.5
    sharpness: float = 0.5
    measure: Measure | None = None
    prior: Prior | None = None
    false_alarms: float = 0.5
    zone: str = "UTC"
    south: bool = False
    artifacts: ArtifactStore | None = None
    _live: Live = field(default_factory=Live, repr=False, compare=False)

    def infer(
        self, space: PreferenceSpace, evidence: Sequence[Evidence], at: datetime, scope: str
    ) -> Sequence[Preference]:
        """Beliefs that have evidence behind them: dimensions in the space's order, then topics."""
        fold = self._folded(space, evidence, at, scope)
        topics = sorted(name for name in fold.marginals if name.startswith(TOPIC))
        names = [*(n for n in fold.named if n in fold.marginals), *topics]
        found, shown = ((name, fold.marginals[name]) for name in names), timeless(scope)
        return [marginal.belief(name, shown) for name, marginal in found if marginal.influence]

    def account(
        self, space: PreferenceSpace, evidence: Sequence[Evidence], at: datetime, scope: str
    ) -> Mapping[str, tuple[Marginal, Marginal]]:
        """What each belief of `infer` started from, and what it came to, by dimension or topic."""
        fold = self._folded(space, evidence, at, scope)
        return {name: (fold.start(name), each) for name, each in fold.marginals.items()}

    def _folded(
        self, space: PreferenceSpace, evidence: Sequence[Evidence], at: datetime, scope: str
    ) -> "_Fold":
        settled = self.informed()
        half_life = self.half_life("")
        clock = self.clock
        here = clock.placed(scope, at)
        told = []
        for e in _ordered(evidence):
            weight = weigh(
                e,
                at,
                here,
                half_life_days=half_life,
                backoff=self.backoff,
                ai_trust=self.ai_trust,
            )
            if weight > 0.0 and e.origin == "person":
                told.append((e, weight))
        named = {d.name: d for d in space.dimensions}
        fold = _Fold(settled, named, at, here, Moment.of(clock, here))
        fold.tell(told)
        return fold

    def weight(self, evidence: Evidence, at: datetime, scope: str) -> float:
        """How much this evidence counts; see `weigh`. Of many half-lives, the general one."""
        return weigh(
            evidence,
            at,
            self.clock.placed(scope, at),
            half_life_days=self.half_life(""),
            backoff=self.backoff,
            ai_trust=self.ai_trust,
        )

    @property
    def version(self) -> str:
        """Id of what was learned from everybody; "" where nothing was. It changes beliefs.

        Raises:
            StoreError: It does not read.
        """
        return self._live.follow(self.artifacts).version if self.artifacts is not None else ""

    def informed(self) -> "BayesFold":
        """The same with what was learned from everybody in the place of what is not set.

        Raises:
            StoreError: It does not read.
        """
        if self.artifacts is None:
            return self
        learned = self._live.follow(self.artifacts)
        own = self.half_life_days
        own = own if isinstance(own, Mapping) else {"": own}
        return replace(
            self,
            artifacts=None,
            prior=self.prior if self.prior is not None else learned.prior,
            half_life_days={**learned.half_life_days, **own},
        )

    @property
    def clock(self) -> Clock:
        """Whose clock says when it is evening, a weekend, or summer."""
        return Clock(zone=self.zone, south=self.south)

    def half_life(self, name: str) -> float:
        """The half-life of a dimension or topic, in days."""
        if not isinstance(self.half_life_days, Mapping):
            return self.half_life_days
        return self.half_life_days.get(name, self.half_life_days.get("", 365.0))


@dataclass(slots=True)
class _Fold:
    """The marginals of one person while they are being folded."""

    options: BayesFold
    named: Mapping[str, Dimension]
    at: datetime
    scope: str
    now: Moment
    groups: dict[str, str] = field(default_factory=dict)  # group -> id of what says so
    said: dict[str, list[Weighed]] = field(default_factory=dict)
    marginals: dict[str, Marginal] = field(default_factory=dict)

    def tell(self, weighed: Sequence[Weighed]) -> None:
        """Fold everything: values first, then pairs and grades."""
        unmoved = self._sort(weighed)
        self.said = {name: self._nearer(told) for name, told in self.said.items()}
        if self.groups and self.options.prior is not None:  # a group alone is a belief too
            self.marginals.update({name: self.start(name) for name in self.named})
        for name in self.said:
            self._observe(name)
        for name, sources in unmoved.items():
            marginal = self.marginals.setdefault(name, self.start(name))
            marginal.reasons += (_UNMOVED,)
            marginal.influence = marginal.influence or [(0.0, source) for source in sources]
        measured = [d for d in self.named.values() if d.feature and not d.universal]
        compared = self._nearer([each for each in weighed if each[0].pair or each[0].graded])
        if compared and measured and self.options.measure is not None:
            choices = observed(self.options.measure, measured, compared, self.options.sharpness)
            if choices is not None:
                self._choose(measured, choices)
        if self.options.prior is not None and self.options.prior.correlations:
            self._relate(self.options.prior)

    def _sort(self, weighed: Sequence[Weighed]) -> dict[str, list[str]]:
        """Observed values by name; returns what universal was to be less, and ids that say so."""
        plain = not isinstance(self.options.half_life_days, Mapping)
        unmoved: dict[str, list[str]] = {}
        for e, weight in weighed:
            for name, value in e.values.items():
                dimension = self.named.get(name)
                if dimension is None and not name.startswith(TOPIC):
                    if name.startswith(GROUP) and e.kind is EvidenceKind.DEMOGRAPHIC and value > 0:
                        self.groups[name.removeprefix(GROUP)] = e.id
                    continue  # or of another space, or of another version of this one
                if dimension is not None and dimension.universal and value <= 0.0:
                    unmoved.setdefault(name, []).append(e.id)
                    continue
                counts = weight if plain else weight * self._fading(name, e)
                self.said.setdefault(name, []).append((e, counts))
        return unmoved

    def _nearer(self, told: list[Weighed]) -> list[Weighed]:
        """The same, counted from the narrowest scope around this one of which anything is known.

        What holds more widely counts less beside it, and once less where it is not this very one,
        but not again for each segment of a scope of which nothing is known.
        """
        backoff = self.options.backoff
        levels = min((distance(e.scope, self.scope) or 0 for e, _ in told), default=0)
        if levels < 2 or backoff <= 0.0:
            return told
        return [(e, weight / backoff ** (levels - 1)) for e, weight in told]

    def _fading(self, name: str, e: Evidence) -> float:
        """What the weight of evidence has to be changed by where a dimension fades otherwise."""
        rate = 1.0 / self.options.half_life(name) - 1.0 / self.options.half_life("")
        factor: float = 0.5 ** ((self.at - e.at).total_seconds() / _DAY * rate)
        return factor

    def start(self, name: str) -> Marginal:
        """The belief before any evidence but groups."""
        prior, dimension = self.options.prior, self.named.get(name)
        if prior is None or (dimension is not None and dimension.universal):
            return Marginal()
        mean, std = prior.of(name, self.groups)
        precision, effects = 1.0 / (std * std), prior.effects
        moved = [(abs(effects.get(g, {}).get(name, 0.0)), key) for g, key in self.groups.items()]
        return Marginal(
            precision=precision,
            shift=mean * precision,
            influence=[each for each in moved if each[0] > 0.0],
        )

    def _observe(self, name: str, began: datetime | None = None) -> None:
        """Fold what was said of one dimension into its marginal, made anew."""
        dimension = self.named.get(name)
        told = self.said.get(name, [])
        marginal = self.marginals[name] = self.start(name)
        alone = len(told) < 2 and began is None  # nothing to settle
        if not alone and (dimension is None or not dimension.universal):
            rate = self.options.false_alarms
            now = self.now if rate > 0.0 else None
            settled = settle(name, told, began=began, rate=rate, now=now)
            told = settled.said
            marginal.since = settled.since
            marginal.reasons = tuple(settled.reasons)
            marginal.question = (
                in_words(settled.question, dimension) if dimension else settled.question
            )
        for e, weight in told:
            value, precision = e.values[name], weight / (e.noise * e.noise)
            if precision > 0.0:
                marginal.observe(value, precision, e.id)
                if explicit(e):
                    marginal.stated += precision * value

    def _choose(self, dimensions: Sequence[Dimension], choices: Choices) -> None:
        """Fold pairs and grades into the marginals of the measured dimensions."""
        for d in dimensions:
            if d.name not in self.marginals:
                self.marginals[d.name] = self.start(d.name)
        mean, variance = choices.fold(*self._state(dimensions))
        rate = self.options.false_alarms
        recurring = choices.recurring(mean, self.now.clock) if rate > 0.0 else {}
        if recurring:
            choices = choices.at_such_times(recurring, self.now)
            mean, variance = choices.fold(*self._state(dimensions))
        changed = choices.changed(mean, rate, recurring) if rate > 0.0 else {}
        for column, by_scope in changed.items():
            name, began = dimensions[column].name, max(by_scope.values())
            self._observe(name, began)
            self.marginals[name].reasons += (CHANGED.format(f"{began:%Y-%m-%d}"),)
        if changed:
            choices = choices.without(changed)
            mean, variance = choices.fold(*self._state(dimensions))
        for column, each in recurring.items():
            self.marginals[dimensions[column].name].reasons += (each.reason(self.now),)
        for d, m, v, influence in zip(
            dimensions, mean.tolist(), variance.tolist(), choices.information(), strict=True
        ):
            self._move(self.marginals[d.name], m, 1.0 / v)
            self.marginals[d.name].influence.extend(influence)

    def _state(self, dimensions: Sequence[Dimension]) -> tuple[Vector, Vector]:
        marginals = [self.marginals[d.name] for d in dimensions]
        return (
            np.array([m.mean for m in marginals]),
            np.array([1.0 / m.precision for m in marginals]),
        )

    def _relate(self, prior: Prior) -> None:
        """Let what is known of a dimension say something of those that go together with it."""
        known = [n for n in prior.related() if n in self.named and not self.named[n].universal]
        told = [self.marginals.get(name) or self.start(name) for name in known]
        start = [self.start(name) for name in known]
        said = np.array(
            [one.precision - two.precision for one, two in zip(told, start, strict=True)]
        )
        if not (said > _RELEVANT).any():
            return
        shift = np.array([one.shift - two.shift for one, two in zip(told, start, strict=True)])
        mean = np.array([each.mean for each in start])
        deviation = np.array([each.precision**-0.5 for each in start])
        correlation = prior.matrix(known)
        inverse = np.linalg.inv(correlation * np.outer(deviation, deviation))
        covariance = np.linalg.inv(inverse + np.diag(said))
        found = covariance @ (inverse @ mean + shift)
        for i, (name, marginal) in enumerate(zip(known, told, strict=True)):
            if marginal.stated:
                continue  # they said so themselves
            precision = 1.0 / float(covariance[i, i])
            if not marginal.influence and precision < (1.0 + _RELEVANT) * start[i].precision:
                continue
            if not marginal.influence:
                marginal.influence = [
                    (amount * float(correlation[i, j]) ** 2, key)
                    for j, other in enumerate(told)
                    if correlation[i, j] and i != j and said[j] > 0.0
                    for amount, key in other.influence
                ]
            marginal.precision, marginal.shift = precision, float(found[i]) * precision
            self.marginals[name] = marginal

    def _move(self, marginal: Marginal, mean: float, precision: float) -> None:
        """Set what the choices made of a marginal; less of it where words say the opposite."""
        shift = mean * precision - marginal.shift
        said = marginal.stated
        if said and shift * said < 0.0:
            precision = marginal.precision + IMPLICIT * (precision - marginal.precision)
            shift *= IMPLICIT
            marginal.reasons += (DEEDS,)
        marginal.shift += shift
        marginal.precision = precision


def _ordered(evidence: Iterable[Evidence]) -> list[Evidence]:
    """One of each id, in an order that does not depend on the order given."""
    return list({e.id: e for e in sorted(evidence, key=lambda e: (e.at, e.id))}.values())
