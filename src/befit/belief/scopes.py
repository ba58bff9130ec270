"""Where a piece of evidence holds: a path of places, and what else has to be so.

"work/mail" lies in "work", and that everywhere (""). A segment with a colon is no place but a
condition: "with:family", "when:evening". Its position means nothing, and a scope that has a
condition lies in the one without it: "work/with:boss" lies in "work" and in "with:boss". Does not
decide which scope a conversation is in.
"""


def distance(wider: str, scope: str) -> int | None:
    """How many segments ``scope`` is narrower than ``wider``; None where it does not lie in it."""
    if wider == scope:
        return 0
    if not wider:
        return depth(scope)
    if ":" not in wider and ":" not in scope:
        return depth(scope) - depth(wider) if scope.startswith(f"{wider}/") else None
    places, conditions = _parts(scope)
    outer, needed = _parts(wider)
    if places[: len(outer)] != outer or not needed <= conditions:
        return None
    return len(places) - len(outer) + len(conditions) - len(needed)


def depth(scope: str) -> int:
    """How narrow a scope is: its number of segments."""
    return scope.count("/") + 1 if scope else 0


def _parts(scope: str) -> tuple[list[str], frozenset[str]]:
    segments = scope.split("/") if scope else []
    return [s for s in segments if ":" not in s], frozenset(s for s in segments if ":" in s)
