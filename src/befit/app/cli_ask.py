"""Commands that ask a person, and that learn from everybody how beliefs go: ask, prior."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from befit.app.cli_rights import heeding_cycle
from befit.app.cli_shared import Json, Person, Scope, late, now, show, turn, workshop
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


def prior(
    out: Annotated[Path, typer.Option(help="Where to write the table for befit.toml.")] = Path(
        "befit-inferer.toml"
    ),
    as_json: Json = False,
) -> None:
    """Learn from everybody what to believe of strangers, and how fast beliefs go stale."""
    shop = workshop()
    _, memory = heeding_cycle()
    people = [memory.usable(user, "train") for user in memory.people()]
    fold = shop.build("inferer", shop.settings.inferer, "inferer")
    learned = late("align.train.beliefs").learn_beliefs(fold, shop.space, people, now())
    table = {
        "use": "bayes",
        "half_life_days": learned.half_life_days,
        "prior": asdict(learned.prior),
    }
    lines = [f"{name} = {_toml(value)}" for name, value in table.items()]
    out.write_text("\n".join(["[inferer]", *lines, ""]), "utf-8")
    show(table, f"learned from {len(people)} people; written to {out}", as_json=as_json)


def _toml(value: Any) -> str:
    """A value as TOML spells it, in one line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(k)} = {_toml(v)}' for k, v in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
