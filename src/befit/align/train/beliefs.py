"""From everybody's evidence: what to believe of a stranger, and how fast each belief goes stale.

It reads only what it is given, so whoever calls it gives what may be used for training. What it
returns is a fold, like the one it was given but for its prior and its half-lives.

Source: `befit.belief.prior` (shrinkage) and `befit.belief.decay` (one-step-ahead likelihood).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from befit.belief.decay import fit_half_lives
from befit.belief.fold import BayesFold
from befit.belief.prior import GROUP, fit_prior
from befit.core.errors import NotEnoughFeedbackError
from befit.core.people import EvidenceKind
from befit.core.preference import Evidence, PreferenceSpace

FEWEST = 3  # people


def learn_beliefs(
    fold: BayesFold, space: PreferenceSpace, people: Sequence[Sequence[Evidence]], at: datetime
) -> BayesFold:
    """The fold that expects of a stranger what is usual, and forgets each thing at its own pace.

    Args:
        fold: The fold in use.
        space: The dimensions.
        people: The evidence of each person.
        at: The day on which it is learned, UTC.

    Raises:
        NotEnoughFeedbackError: Fewer than `FEWEST` people have evidence.
    """
    known = [evidence for evidence in people if evidence]
    if len(known) < FEWEST:
        raise NotEnoughFeedbackError(
            f"{len(known)} people have evidence that may be learned from",
            hint=f"at least {FEWEST} must have said or chosen something, and allow it",
        )
    half_lives = fit_half_lives(known)
    aging = replace(fold, half_life_days={"": fold.half_life(""), **half_lives})
    alone = replace(aging, prior=None)
    named = {d.name for d in space.dimensions if not d.universal}
    beliefs = [
        {
            p.dimension: (p.mean, p.std)
            for p in alone.infer(space, evidence, at, "")
            if p.dimension in named
        }
        for evidence in known
    ]
    groups = [_groups(evidence) for evidence in known]
    return replace(aging, prior=fit_prior(list(zip(groups, beliefs, strict=True))))


def _groups(evidence: Sequence[Evidence]) -> list[str]:
    """What the person said of the groups that they belong to."""
    return sorted(
        {
            name.removeprefix(GROUP)
            for e in evidence
            if e.kind is EvidenceKind.DEMOGRAPHIC
            for name, value in e.values.items()
            if name.startswith(GROUP) and value > 0.0
        }
    )
