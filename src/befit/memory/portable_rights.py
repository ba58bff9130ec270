"""What a person decided, and what waits for their word, as JSON values: out and in again.

::

    {"decisions": [{"at", "verb", "subject", "scope", "value"}, ...],
     "held":      [{"reason", "evidence": {...}}, ...]}

Both stand beside the evidence in an export, under these names.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from befit.core.people import UserId
from befit.memory.codec import Reader, evidence_from_json, evidence_to_json
from befit.memory.ledger import Decision, Held, Ledger, Verb

NAMES = ("decisions", "held")


def export_rights(ledger: Ledger, user: UserId) -> dict[str, Any]:
    """All that the ledger has of a person."""
    return {
        "decisions": [
            {
                "at": each.at.isoformat(),
                "verb": each.verb,
                "subject": each.subject,
                "scope": each.scope,
                "value": each.value,
            }
            for each in ledger.decisions(user)
        ],
        "held": [
            {"reason": each.reason, "evidence": evidence_to_json(each.evidence)}
            for each in ledger.held(user)
        ],
    }


def import_rights(ledger: Ledger, data: Mapping[str, Any], user: UserId) -> int:
    """Keep what `export_rights` wrote; what is there already counts once.

    Args:
        ledger: Where to.
        data: The export; without those names nothing is kept.
        user: Whose it shall be.

    Returns:
        How many decisions and waiting pieces it holds.

    Raises:
        InvalidImportError: A field is wrong; nothing was kept.
    """
    decisions = [
        _decision(Reader(each, f"import.decisions[{number}]"), user)
        for number, each in enumerate(_listed(data, "decisions"))
    ]
    held = [
        _held(Reader(each, f"import.held[{number}]"), user)
        for number, each in enumerate(_listed(data, "held"))
    ]
    there = set(ledger.decisions(user))
    for decision in decisions:
        if decision not in there:
            ledger.decide(decision)
    ledger.hold(held)
    return len(decisions) + len(held)


def _decision(read: Reader, user: UserId) -> Decision:
    read.only(("at", "verb", "subject", "scope", "value"))
    return Decision(
        user=user,
        at=read.time("at"),
        verb=read.one_of("verb", get_args(Verb)),
        subject=read.text("subject"),
        scope=read.text("scope", ""),
        value=read.number("value", 0.0),
    )


def _held(read: Reader, user: UserId) -> Held:
    read.only(("reason", "evidence"))
    made = evidence_from_json(read.get("evidence"), f"{read.where}.evidence")
    return Held(replace(made, user=user), read.text("reason"))


def _listed(data: Mapping[str, Any], name: str) -> list[Any]:
    listed = data.get(name, [])
    if not isinstance(listed, list):
        raise Reader(data, "import").wrong(name, "is no list")
    return listed
