"""What falls with what: evidence that was read out of other evidence, by ``source``."""

from collections.abc import Iterable, Sequence

from befit.core.preference import Evidence


def with_derived(ids: Iterable[str], known: Iterable[Evidence]) -> Sequence[str]:
    """The ids, and those of all that was derived from them, however far down.

    Args:
        ids: Of what goes.
        known: What there is of the person.
    """
    found = dict.fromkeys(ids)
    children: dict[str, list[str]] = {}
    for each in known:
        if each.source:
            children.setdefault(each.source, []).append(each.id)
    open_ = list(found)
    while open_:
        for child in children.get(open_.pop(), ()):
            if child not in found:
                found[child] = None
                open_.append(child)
    return tuple(found)
