"""What a personal reward must reach to be trusted, as gates that are met or not.

A gate looks at the default alone, and at nothing but the rows of a result: where people are known
to differ the person must show, where they do not personalization must cost nothing. A gate of which
the result has no figure is left out. Measures nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from befit.evaluate.active import MARK
from befit.evaluate.duels import Duel, never_behind
from befit.evaluate.figures import DEFAULT, TOLD
from befit.evaluate.schema import Row

SIGNAL = ("polis", "jester5k", "dsp")  # people differ in what they prefer
POPULAR = ("movielens-small", "multipico", "llmfao", "stackexchange")  # popularity says nearly all
LEVEL_SHOTS = range(1, 17)
FEWEST_PEOPLE = 50  # unseen, to judge calibration by
MOST_ECE = 0.05
FLIPS, FLIPS_CONTESTED = 0.7, 0.5
MOST_HARMED, MOST_LOST = 0.1, 0.02
ASKED, TWICE = 4, 2.0  # questions that were chosen, and what they must be worth
_CONTESTED = "/contested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One thing to reach on one data set.

    Attributes:
        name: Which gate.
        data: The data set, or a part of it.
        wanted: What is to be reached, in words.
        value: What was measured; the worst, where several numbers of shots are asked.
        lo: Lower end of its 95% interval.
        hi: Upper end.
        met: Whether it is.
    """

    name: str
    data: str
    wanted: str
    value: float
    lo: float
    hi: float
    met: bool


def gates(rows: Sequence[Row], duels: Sequence[Duel]) -> list[Gate]:
    """Every gate that a result has a figure for.

    Args:
        rows: Of a result.
        duels: Of the same result; see `befit.evaluate.duels`.
    """
    own = [row for row in rows if row.method == DEFAULT]
    found = []
    for data in dict.fromkeys(row.data for row in own):
        here = [row for row in own if row.data == data]
        found += [*_beside_the_crowd(data, here), *_for_people(data, here), *_of_peers(data, duels)]
        found += _chosen(data, [row for row in rows if row.data == data])
    return found


def _chosen(data: str, rows: Sequence[Row]) -> Iterator[Gate]:
    """Of the rule that does best: how many random answers one chosen answer is worth."""
    worth = [
        replace(row, value=row.value / ASKED, lo=row.lo / ASKED, hi=row.hi / ASKED)
        for row in rows
        if row.metric == "questions_to_match" and row.shots == ASKED
        if row.method.startswith(f"{DEFAULT}{MARK}")
    ]
    wanted = f"{ASKED} chosen questions are worth at least {TWICE:g} times as many drawn at random"
    best = sorted(worth, key=lambda r: -r.value)[:1]
    yield from _gate("questions", data, wanted, best, met=lambda r: r.value >= TWICE)


def _beside_the_crowd(data: str, rows: Sequence[Row]) -> Iterator[Gate]:
    gains = [r for r in rows if r.metric == "gain_over_user_blind" and r.shots is not None]
    if data in SIGNAL:
        wanted = f"above user-blind after {TOLD} pairs, interval clear of 0"
        at = [row for row in gains if row.shots == TOLD]
        yield from _gate("personal", data, wanted, at, met=lambda r: r.lo > 0.0)
    if data in POPULAR:
        wanted = "below user-blind, beyond its interval, at no number of pairs"
        yield from _gate("harmless", data, wanted, gains, met=lambda r: r.hi >= 0.0)
    wanted = "not below user-blind, beyond the interval, where nothing is known of a person"
    none = [row for row in gains if row.shots == 0]
    yield from _gate("stranger", data, wanted, none, met=lambda r: r.hi >= 0.0)


def _for_people(data: str, rows: Sequence[Row]) -> Iterator[Gate]:
    at = {row.metric: row for row in rows if row.shots == TOLD}
    flips, gap = at.get("flip_rate"), at.get("gap")
    least = FLIPS_CONTESTED if data.endswith(_CONTESTED) else FLIPS if data == "dsp" else None
    if flips is not None and least is not None:
        wanted = f"answers turned round turn at least {least:g} of the predictions"
        yield from _gate("flip", data, wanted, [flips], met=lambda r: r.value >= least)
    if gap is not None and data.removesuffix(_CONTESTED) in SIGNAL:
        wanted = "better with one's own history than with another's, interval clear of 0"
        yield from _gate("gap", data, wanted, [gap], met=lambda r: r.lo > 0.0)
    errors = [r for r in rows if r.metric == "ece" and r.people >= FEWEST_PEOPLE]
    wanted = f"calibration error at most {MOST_ECE:g}, {FEWEST_PEOPLE} unseen people or more"
    yield from _gate(
        "calibrated", data, wanted, errors, met=lambda r: r.value <= MOST_ECE, worst=max
    )
    for name, metric, than in (
        ("harm", "negative_transfer_latent", "by user-blind"),
        ("harm-of-history", "harm_of_history_latent", "with no history"),
    ):
        yield from _harm(data, name, than, (at.get(metric), at.get(f"{metric}_depth")))


def _harm(data: str, name: str, than: str, told: tuple[Row | None, Row | None]) -> Iterator[Gate]:
    share, loss = told
    if share is not None:
        wanted = f"worse off than {than}: at most {MOST_HARMED:.0%} of people, noise removed"
        yield from _gate(name, data, wanted, [share], met=lambda r: r.value <= MOST_HARMED)
    if loss is not None:
        wanted = f"who is worse off than {than} loses at most {100 * MOST_LOST:g} points on average"
        yield from _gate(f"{name}-depth", data, wanted, [loss], met=lambda r: r.value <= MOST_LOST)


def _of_peers(data: str, duels: Sequence[Duel]) -> Iterator[Gate]:
    met = never_behind(duels, data, LEVEL_SHOTS)
    if met is not None:
        own = [d for d in duels if d.data == data and d.shots in LEVEL_SHOTS]
        last = min(own, key=lambda d: d.gain)
        wanted = "level with the best peer or ahead at every number of pairs from 1 to 16"
        yield Gate(
            name="peers", data=data, wanted=wanted,
            value=last.gain, lo=last.lo, hi=last.hi, met=met,
        )  # fmt: skip


def _gate(
    name: str,
    data: str,
    wanted: str,
    rows: Sequence[Row],
    *,
    met: Callable[[Row], bool],
    worst: Callable[..., Row] = min,
) -> Iterator[Gate]:
    """Met where every row meets it; tells the worst row."""
    if rows:
        row = worst(rows, key=lambda r: r.value)
        yield Gate(
            name=name, data=data, wanted=wanted, value=row.value, lo=row.lo, hi=row.hi,
            met=all(met(each) for each in rows),
        )  # fmt: skip
