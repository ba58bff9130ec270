"""Consent: what a person allows to be done with which kind of evidence. Dated, taken back at will.

A grant or a withdrawal names a kind of evidence (or ``sensitive``) and a purpose; of several the
last one counts, and of two of the same moment the withdrawal. What reveals a special category needs
a grant of ``sensitive`` for the purpose beside that of its kind. Pure: who keeps the grants is
`memory.ledger`, who heeds them `memory.consented`.

Source: Regulation (EU) 2016/679, articles 6(1)(a), 7(3) and 9(2)(a).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from befit.core.errors import InputError
from befit.core.people import EvidenceKind

Purpose = Literal["personalize", "train", "evaluate"]

SENSITIVE = "sensitive"
PURPOSES: tuple[str, ...] = get_args(Purpose)
KINDS: tuple[str, ...] = (*(kind.value for kind in EvidenceKind), SENSITIVE)

EVER = datetime(1, 1, 1, tzinfo=UTC)  # before anybody said anything
AFTER_ALL = datetime(9999, 12, 31, tzinfo=UTC)  # when all that was said counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One decision of a person.

    Attributes:
        kind: One of `KINDS`.
        purpose: One of `PURPOSES`.
        allowed: True for a grant, False for its withdrawal.
        at: When they decided, UTC.
    """

    kind: str
    purpose: str
    allowed: bool
    at: datetime


#: What holds until the person decides: who talks to a service that adapts expects it to adapt to
#: what they say and do there. What they are, and all that is sensitive, is asked for.
ASSUMED: tuple[Grant, ...] = tuple(
    Grant(kind=kind.value, purpose="personalize", allowed=True, at=EVER)
    for kind in (EvidenceKind.STATED, EvidenceKind.AUTHORED, EvidenceKind.BEHAVIOUR)
)


def allows(
    grants: Iterable[Grant],
    kind: str,
    purpose: str,
    sensitive: bool,  # noqa: FBT001 - reads as a sentence
    at: datetime = AFTER_ALL,
) -> bool:
    """Whether a use is allowed; without a grant it is not.

    Args:
        grants: What the person decided, in any order, with what is assumed.
        kind: The kind of evidence.
        purpose: What it is to be used for.
        sensitive: Whether it reveals a special category.
        at: The moment of use; later decisions are not known then.

    Raises:
        InputError: There is no such kind or purpose.
    """
    check(kind, purpose)
    decided: dict[str, tuple[datetime, bool]] = {}
    for each in grants:
        if each.purpose == purpose and each.at <= at:
            said = (each.at, not each.allowed)  # of the same moment the withdrawal is greater
            decided[each.kind] = max(decided.get(each.kind, said), said)
    needed = (kind, SENSITIVE) if sensitive else (kind,)
    return all(name in decided and not decided[name][1] for name in needed)


def check(kind: str, purpose: str) -> None:
    """Refuse a kind or a purpose that does not exist.

    Raises:
        InputError: It does not; the hint lists those that do.
    """
    for name, value, known in (("kind", kind, KINDS), ("purpose", purpose, PURPOSES)):
        if value not in known:
            raise InputError(
                f"there is no {name} {value!r}", hint=f"one of {', '.join(known)}", field=name
            )
