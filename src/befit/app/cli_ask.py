"""Commands that ask a person, and that learn from everybody how beliefs go: ask, prior."""

from enum import StrEnum
from typing import Annotated
from uuid import uuid4

import typer

from befit.app.cli_prior import prior
from befit.app.cli_rights import heeding_cycle
from befit.app.cli_shared import Json, Person, Scope, late, now, show, turn
from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence

_ASKED = "asked:"  # heads the source of an answer, and of a question that was skipped


class Answer(StrEnum):
    """What a person says to a question with two ends."""

    LOW = "low"
    BETWEEN = "between"
    HIGH = "high"
    SKIP = "skip"


_VALUES = {Answer.LOW: -0.8, Answer.BETWEEN: 0.0, Answer.HIGH: 0.8}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ask)
    app.command()(prior)


def ask(
    user: Person,
    *,
    about: Annotated[str, typer.Option(help="The dimension that was asked about.")] = "",
    answer: Annotated[Answer | None, typer.Option(help="What the person says to it.")] = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """What to ask next, where the answer would say most; with --about and --answer, take it in."""
    cycle, memory = heeding_cycle()
    profile = memory.recall(turn(user, "", scope=scope))
    if bool(about) != (answer is not None):
        raise InputError(
            "an answer needs what it is about",
            hint="give --about DIMENSION and --answer together",
            field="about",
        )
    if answer is not None:
        known = {d.name for d in profile.space.dimensions if not d.universal}
        if about not in known:
            raise InputError(
                f"there is no dimension {about!r} to ask about",
                hint=f"one of {', '.join(sorted(known))}",
                field="about",
            )
        said = _evidence(user, about, answer, scope)
        cycle.remember([said])
        show(said, f"{about}: {answer.value}", as_json=as_json)
        return
    asked = {
        e.source.removeprefix(_ASKED)
        for e in memory.evidence(UserId(user))
        if e.source.startswith(_ASKED)
    }
    barred = late("memory.spaces").sensitive(profile.space.name)
    question = late("belief.elicitation").next_question(
        profile.space, profile.preferences, asked, sensitive=barred
    )
    told = f"{question.text}  [{question.dimension}]" if question else "nothing worth asking"
    show(question, told, as_json=as_json)


def _evidence(user: str, about: str, answer: Answer, scope: str) -> Evidence:
    """The answer, or that it was skipped, which says nothing but that it need not be asked."""
    return Evidence(
        id=uuid4().hex,
        user=UserId(user),
        kind=EvidenceKind.STATED,
        at=now(),
        values={about: _VALUES[answer]} if answer in _VALUES else {},
        scope=scope,
        source=f"{_ASKED}{about}",
    )
