"""From everybody's evidence: what to believe of a stranger, and how fast each belief goes stale.

It reads only what it is given, so whoever calls it gives what may be used for training. What is
learned is measured on people who were left out, and is an artifact like a learned reward: the fold
in use follows what is promoted. It holds nothing of the dimensions that belong to everyone.

Source: `befit.belief.prior` (shrinkage) and `befit.belief.decay` (one-step-ahead likelihood).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import log, pi
from pathlib import Path

from befit.belief.decay import fit_half_lives
from befit.belief.fold import BayesFold
from befit.belief.learned import KIND, Learned
from befit.belief.prior import Normal, Prior, fit_prior, groups_of
from befit.core.artifact import Artifact
from befit.core.errors import AuditFailedError, NotEnoughFeedbackError
from befit.core.preference import Evidence, PreferenceSpace

FEWEST = 3  # people
_FOLDS = 5
_MEASURED = 10  # people from which leaving some out says something
_LEAST_KNOWN = 1e-3  # of a belief; less is none

Known = tuple[Sequence[str], Mapping[str, Normal]]  # a person's groups and beliefs


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedBeliefs:
    """What was learned, and how good it is.

    Attributes:
        learned: Priors and half-lives.
        metrics: ``people``; and where there are enough, ``held_out_nats``: by how much likelier the
            prior makes a belief of somebody who was left out than N(0, 1) does.
    """

    learned: Learned
    metrics: Mapping[str, float]

    def artifact(self, folder: Path, space: PreferenceSpace, at: datetime) -> Artifact:
        """Write it into a folder, as an artifact that all people share.

        Raises:
            AuditFailedError: It is no better than knowing nothing.
        """
        gain = self.metrics.get("held_out_nats", 0.0)
        if gain < 0.0:
            raise AuditFailedError(
                f"people who were left out are {-gain:.3f} nats less likely under it than under"
                " none",
                hint="what is in use stays in use; learn again from more people",
            )
        return Artifact(
            id=self.learned.save(folder),
            kind=KIND,
            owner=None,
            base=f"{space.name} {space.version}",
            at=at,
            metrics=self.metrics,
        )


def learn_beliefs(
    fold: BayesFold, space: PreferenceSpace, people: Sequence[Sequence[Evidence]], at: datetime
) -> LearnedBeliefs:
    """What is usual, and how fast each thing is forgotten.

    Args:
        fold: The fold in use.
        space: The dimensions.
        people: The evidence of each person.
        at: The day on which it is learned, UTC.

    Raises:
        NotEnoughFeedbackError: Fewer than `FEWEST` people have evidence.
    """
    told = [evidence for evidence in people if evidence]
    if len(told) < FEWEST:
        raise NotEnoughFeedbackError(
            f"{len(told)} people have evidence that may be learned from",
            hint=f"at least {FEWEST} must have said or chosen something, and allow it",
        )
    half_lives = fit_half_lives(told)
    days = {"": fold.half_life(""), **half_lives}
    alone = replace(fold, half_life_days=days, prior=None, artifacts=None)
    named = {d.name for d in space.dimensions if not d.universal}
    known: list[Known] = []
    for evidence in told:
        beliefs = alone.infer(space, evidence, at, "")
        own = {p.dimension: (p.mean, p.std) for p in beliefs if p.dimension in named}
        known.append((groups_of(evidence), own))
    metrics = {"people": float(len(known))}
    if len(known) >= _MEASURED:
        metrics["held_out_nats"] = held_out_gain(known)
    return LearnedBeliefs(
        learned=Learned(prior=fit_prior(known), half_life_days=half_lives), metrics=metrics
    )


def held_out_gain(people: Sequence[Known]) -> float:
    """How much likelier beliefs are under a prior of others than under N(0, 1): nats a belief."""
    gains = []
    for fold in range(_FOLDS):
        prior = fit_prior([each for i, each in enumerate(people) if i % _FOLDS != fold])
        for groups, beliefs in people[fold::_FOLDS]:
            for name, belief in beliefs.items():
                if belief[1] ** 2 < 1.0 - _LEAST_KNOWN:
                    gains.append(_gain(prior, groups, name, belief))
    return sum(gains) / len(gains) if gains else 0.0


def _gain(prior: Prior, groups: Sequence[str], name: str, belief: Normal) -> float:
    """In log likelihood of what the evidence alone says, taken out of a belief begun at N(0, 1)."""
    reliability = 1.0 - belief[1] ** 2
    seen, noise = belief[0] / reliability, belief[1] ** 2 / reliability
    mean, std = prior.of(name, groups)
    return _log_normal(seen, mean, std * std + noise) - _log_normal(seen, 0.0, 1.0 + noise)


def _log_normal(value: float, mean: float, variance: float) -> float:
    return -0.5 * (log(2.0 * pi * variance) + (value - mean) ** 2 / variance)
