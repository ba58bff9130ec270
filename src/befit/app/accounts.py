"""How each number of a belief comes about: the fold once more, piece by piece.

A belief is a normal distribution. It starts at the prior; each observed value adds its precision
``weight / noise^2``, and ``precision * value`` to what the mean is made of (`belief.fold`). What
choices, grades and related dimensions add is told as one sum. Where the person's own word holds a
belief, so that the sums are not what is believed, there is no account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isclose, sqrt

from befit.belief.fold import BayesFold
from befit.belief.marginal import Marginal
from befit.core.preference import Evidence, Preference, PreferenceSpace
from befit.features.style import measure
from befit.memory.profiles import day_after

_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one piece of evidence adds.

    Attributes:
        id: Of the evidence.
        value: The position that was observed, in [-1, 1].
        noise: Standard deviation of the observation, > 0.
        aged: What it counts by its age and scope, in [0, 1].
        weight: What it counts once conflicts and changes are settled, in [0, 1].
        precision: ``weight / noise^2``.
        pull: ``precision * value``.
    """

    id: str
    value: float
    noise: float
    aged: float
    weight: float
    precision: float
    pull: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """From the prior to a belief.

    Attributes:
        before_mean: Of the prior.
        before_precision: Of the prior: one over its variance.
        observed: What each observed value adds, most first.
        rest_precision: What choices, grades and related dimensions add together.
        rest_pull: The same of what the mean is made of.
        precision: The sum of all precisions; ``std`` is one over its root, at most 1.
        pull: The sum of all pulls; ``mean`` is ``pull / precision``, within [-1, 1].
    """

    before_mean: float
    before_precision: float
    observed: tuple[Observed, ...]
    rest_precision: float
    rest_pull: float
    precision: float
    pull: float


def accounts(
    fold: BayesFold,
    space: PreferenceSpace,
    evidence: Sequence[Evidence],
    beliefs: Sequence[Preference],
    asked: tuple[datetime, str],
) -> Mapping[str, Account]:
    """The account of each belief that has one, by dimension or topic.

    Args:
        fold: The inferer that made the beliefs.
        space: Their dimensions.
        evidence: What may be used of the person.
        beliefs: As recalled.
        asked: When, UTC, and in which scope.
    """
    at, scope = asked
    fold = fold if fold.measure is not None else replace(fold, measure=measure)
    known = [e for e in evidence if max(e.at, e.learned or e.at) <= at]
    folded = fold.account(space, known, day_after(at), scope)
    by_id = {each.id: each for each in known}
    found = {}
    for belief in beliefs:
        start, end = folded.get(belief.dimension, (Marginal(), Marginal()))
        shown = end.belief(belief.dimension, belief.scope)
        if isclose(shown.mean, belief.mean, abs_tol=_SAME) and isclose(
            shown.std, belief.std, abs_tol=_SAME
        ):
            told = [
                _observed(belief.dimension, by_id[key], amount, aged)
                for amount, key in sorted(end.influence, reverse=True)
                if belief.dimension in by_id[key].values
                for aged in [fold.weight(by_id[key], day_after(at), scope)]
            ]
            found[belief.dimension] = _account(start, end, told)
    return found


def _observed(name: str, e: Evidence, precision: float, aged: float) -> Observed:
    return Observed(
        id=e.id,
        value=e.values[name],
        noise=e.noise,
        aged=aged,
        weight=precision * e.noise * e.noise,
        precision=precision,
        pull=precision * e.values[name],
    )


def _account(start: Marginal, end: Marginal, told: Sequence[Observed]) -> Account:
    return Account(
        before_mean=start.mean,
        before_precision=start.precision,
        observed=tuple(told),
        rest_precision=end.precision - start.precision - sum(each.precision for each in told),
        rest_pull=end.shift - start.shift - sum(each.pull for each in told),
        precision=end.precision,
        pull=end.shift,
    )


def lines(account: Account, evidence: Mapping[str, Evidence]) -> list[str]:
    """The account as a person reads it, the evidence with it.

    Args:
        account: Of one belief.
        evidence: What is known, by id.
    """
    spread = 1.0 / sqrt(account.before_precision)
    said = [
        f"before any evidence {account.before_mean:+.2f} ± {spread:.2f}:"
        f" precision {account.before_precision:.2f}"
    ]
    for each in account.observed:
        e = evidence[each.id]
        settled = "" if isclose(each.weight, each.aged, rel_tol=1e-6) else " settled to"
        weight = f"{each.aged:.2f} by age and scope"
        weight += f",{settled} {each.weight:.2f}" if settled else ""
        said += [
            f"{e.at:%Y-%m-%d} {e.kind.value}: {e.text or 'a reaction'} [{e.id}]",
            f"    observed {each.value:+.2f} ± {each.noise:.2f}; weight {weight};"
            f" precision {each.weight:.2f} / {each.noise:.2f}^2 = {each.precision:.2f}"
            f", pull {each.pull:+.2f}",
        ]
    if abs(account.rest_precision) > _SAME or abs(account.rest_pull) > _SAME:
        said.append(
            f"choices, grades and what goes together: precision {account.rest_precision:+.2f},"
            f" pull {account.rest_pull:+.2f}"
        )
    mean, spread = account.pull / account.precision, 1.0 / sqrt(account.precision)
    said.append(
        f"sum: precision {account.precision:.2f}, pull {account.pull:+.2f};"
        f" mean {account.pull:+.2f} / {account.precision:.2f} = {mean:+.2f},"
        f" std 1 / sqrt({account.precision:.2f}) = {spread:.2f}"
    )
    return said
