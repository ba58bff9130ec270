"""Where a piece of evidence holds: a path of places, and what else has to be so.

"work/mail" lies in "work", and that everywhere (""). A segment with a colon is no place but a
condition: "with:family", "when:evening". Its position means nothing, and a scope that has a
condition lies in the one without it: "work/with:boss" lies in "work" and in "with:boss". A name of
a time ("weekend", "summer") is the condition "when:weekend" without its colon. It is always some
time, so a time makes a scope no farther from what holds at any. Does not decide which scope a
conversation is in.
"""

from functools import lru_cache

DAY = ("night", "morning", "afternoon", "evening")  # from 0, 6, 12 and 18 o'clock
WEEK = ("weekday", "weekend")
YEAR = ("winter", "spring", "summer", "autumn")  # from December, March, June and September
TIMES = frozenset((*DAY, *WEEK, *YEAR))
_WHEN = "when:"


@lru_cache(maxsize=4096)
def distance(wider: str, scope: str) -> int | None:
    """How many segments ``scope`` is narrower than ``wider``; None where it does not lie in it.

    Times do not count as segments.
    """
    if wider == scope:
        return 0
    places, needs = _parts(scope)
    outer, needed = _parts(wider)
    if places[: len(outer)] != outer or not needed <= needs:
        return None
    between = sum(not each.startswith(_WHEN) for each in needs - needed)
    return len(places) - len(outer) + between


def depth(scope: str) -> int:
    """How narrow a scope is: its number of segments."""
    return scope.count("/") + 1 if scope else 0


def conditions(scope: str) -> frozenset[str]:
    """What else has to be so: "with:family", "when:weekend"."""
    return _parts(scope)[1]


def timeless(scope: str) -> str:
    """The scope without the times that are written as conditions."""
    return "/".join(each for each in scope.split("/") if not each.startswith(_WHEN))


@lru_cache(maxsize=4096)
def _parts(scope: str) -> tuple[tuple[str, ...], frozenset[str]]:
    segments = scope.split("/") if scope else []
    times = [f"{_WHEN}{each}" if each in TIMES else each for each in segments]
    return tuple(s for s in times if ":" not in s), frozenset(s for s in times if ":" in s)
