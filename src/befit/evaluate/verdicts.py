"""Says in words who wins where, and where a difference is noise.

Noise is what chance would bring about in one of twenty such tables: p after Holm's correction over
all comparisons of the data set. Draws nothing and measures nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from befit.evaluate.active import MARK
from befit.evaluate.duels import LEVEL
from befit.evaluate.figures import BLIND, DEFAULT, TOLD, WRONG
from befit.evaluate.schema import Row

_NO_RIVALS = {DEFAULT, BLIND, WRONG, "longer-wins", "random"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Who wins on one data set.

    Attributes:
        data: The data set, or a part of it.
        shots: After so many pairs of a person.
        best: The most accurate method.
        accuracy: Of it.
        over_blind: How ours does beside the user-blind model, in words.
        over_wrong: How ours does beside itself with another person's history, in words.
        ahead: Peers ahead of ours beyond noise, with their leads.
        level: Peers whose difference from ours is noise.
        behind: Peers behind ours beyond noise.
    """

    data: str
    shots: int
    best: str
    accuracy: float
    over_blind: str
    over_wrong: str
    ahead: tuple[str, ...]
    level: tuple[str, ...]
    behind: tuple[str, ...]


def verdicts(rows: Sequence[Row], comparisons: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """One for each data set that has shots.

    Args:
        rows: Of a result.
        comparisons: Of its metadata.
    """
    found = []
    for data in dict.fromkeys(row.data for row in rows):
        known = [
            row
            for row in rows
            if row.data == data and row.metric == "accuracy" and MARK not in row.method
        ]
        k = max((r.shots for r in known if r.shots is not None and r.shots <= TOLD), default=None)
        if k is None:
            continue
        best = max((r for r in known if r.shots == k), key=lambda row: row.value)
        tests = [c for c in comparisons if c["data"] == data and c["shots"] == k]
        rivals = [c for c in tests if c["against"] == DEFAULT and _rival(c["method"])]
        rivals.sort(key=lambda c: (-c["gain"], c["method"]))
        found.append(
            Verdict(
                data=data,
                shots=k,
                best=best.method,
                accuracy=best.value,
                over_blind=_beside(rows, tests, data, k, BLIND),
                over_wrong=_beside(rows, tests, data, k, WRONG),
                ahead=tuple(
                    f"{c['method']} (by {_points(c['gain'])})"
                    for c in rivals
                    if not _noise(c) and c["gain"] > 0.0
                ),
                level=tuple(c["method"] for c in rivals if _noise(c)),
                behind=tuple(c["method"] for c in rivals if not _noise(c) and c["gain"] < 0.0),
            )
        )
    return found


def _beside(
    rows: Sequence[Row], tests: Sequence[Mapping[str, Any]], data: str, k: int, rival: str
) -> str:
    """Ahead or behind by so many points, or that it is noise; "" where it was not asked."""
    name = f"gain_over_{rival.replace('-', '_')}"
    row = next(
        (r for r in rows if (r.data, r.method, r.shots, r.metric) == (data, DEFAULT, k, name)), None
    )
    test = next((c for c in tests if c["method"] == DEFAULT and c["against"] == rival), None)
    if row is None or test is None:
        return ""
    told = f"{100 * row.value:+.1f} points ({100 * row.lo:+.1f} to {100 * row.hi:+.1f})"
    if not _noise(test):
        return f"{'ahead' if row.value > 0.0 else 'behind'}: {told}, p {_p(test['p_holm'])}"
    if row.lo > 0.0 or row.hi < 0.0:
        return f"{told}, but noise once all comparisons are corrected for, p {_p(test['p_holm'])}"
    seen = _points(test["detectable_at_80_percent_power"])
    return f"noise: {told}; {seen} would have shown"


def _rival(method: str) -> bool:
    """Whether it is another method, and not one that was shown chosen pairs."""
    return method not in _NO_RIVALS and MARK not in method


def _noise(test: Mapping[str, Any]) -> bool:
    return bool(test["p_holm"] >= LEVEL)


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}".lstrip("0")
