"""Are the intervals true? Simulated people whose positions are known, in every kind of evidence.

People answer as the fold takes them to: they choose and grade by distance with a strictness of
their own, say a position give or take 0.3, cut off at the ends of the range, and show it by what
they like and dislike, the one the more often the nearer they stand to it: give or take 0.8.
"""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp

import pytest

from befit.belief.fold import BayesFold
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, Graded, Pair, PreferenceSpace

AT = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("a", "b", "c", "d")
SPACE = PreferenceSpace("test", "1", tuple(Dimension(n, "low", "high", feature=n) for n in NAMES))
NINETY = 1.645  # standard deviations on either side that hold 90 % of a normal

Style = list[float]


def measure(text: str) -> dict[str, float]:
    return dict(zip(NAMES, map(float, text.split()), strict=True))


def text(style: Style) -> str:
    return " ".join(map(str, style))


def likely(rng: random.Random, logit: float) -> bool:
    return rng.random() < 1.0 / (1.0 + exp(-logit))


def person(seed: int, kinds: str, pieces: int) -> tuple[Style, list[Evidence]]:
    """Somebody's true position, and what is observed of them: kinds in turn, one an hour."""
    rng = random.Random(seed)
    truth = [rng.uniform(-1, 1) for _ in NAMES]
    strictness = rng.gauss(0.0, 1.0)

    def utility(style: Style) -> float:
        return -0.5 * sum((f - t) ** 2 for f, t in zip(style, truth, strict=True))

    def observed(number: int) -> Evidence:
        kind = kinds[number % len(kinds)]
        base = Evidence(
            id=f"{number:04}",
            user=UserId("u"),
            kind={"s": EvidenceKind.STATED, "v": EvidenceKind.AUTHORED}.get(
                kind, EvidenceKind.BEHAVIOUR
            ),
            at=AT - timedelta(hours=pieces - number),
        )
        one, other = ([rng.uniform(-1, 1) for _ in NAMES] for _ in range(2))
        if kind == "p":
            if not likely(rng, utility(one) - utility(other)):
                one, other = other, one
            return replace(base, pair=Pair(prompt="", chosen=text(one), rejected=text(other)))
        if kind == "g":
            luck = rng.random()
            level = utility(one) + 1.5 + strictness
            steps = sum(luck < 1 / (1 + exp(cut - level)) for cut in (-1.5, -0.5, 0.5, 1.5))
            return replace(base, graded=Graded(prompt="", text=text(one), value=steps / 4))
        place = rng.randrange(len(NAMES))
        if kind == "v":
            shown = 1.0 if rng.random() < (1.0 + truth[place]) / 2.0 else -1.0
            return replace(base, values={NAMES[place]: shown}, noise=0.8)
        stated = max(-1.0, min(1.0, rng.gauss(truth[place], 0.3)))
        return replace(base, values={NAMES[place]: stated})

    return truth, [observed(number) for number in range(pieces)]


def coverage(kinds: str, pieces: int, people: int = 150) -> float:
    """Share of beliefs whose 90 % interval holds the truth."""
    fold, held, total = BayesFold(measure=measure), 0, 0
    for seed in range(people):
        truth, told = person(seed, kinds, pieces)
        for belief in fold.infer(SPACE, told, AT, ""):
            total += 1
            gap = abs(belief.mean - truth[NAMES.index(belief.dimension)])
            held += gap <= NINETY * belief.std
    return held / total


@pytest.mark.parametrize("pieces", [8, 40, 200])
def test_intervals_of_all_kinds_together_hold_what_they_say(pieces: int) -> None:
    assert 0.85 <= coverage("svpg", pieces) <= 0.95


@pytest.mark.parametrize("kind", ["s", "v", "p", "g"])
def test_intervals_of_each_kind_alone_are_near(kind: str) -> None:
    assert 0.85 <= coverage(kind, 40) <= 0.96
