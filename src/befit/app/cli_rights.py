"""Commands of a person's rights: correct, pin, reject, release, consent, held, forget, import."""

import json
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from befit.app.cli_shared import Json, Person, Scope, day, known, late, now, show, workshop
from befit.core.errors import InputError, InvalidImportError
from befit.core.people import UserId

if TYPE_CHECKING:
    from befit.app.build import Workshop
    from befit.cycle import Cycle
    from befit.memory.consented import ConsentedMemory

Belief = Annotated[str, typer.Argument(help='A dimension, or "topic:" and a topic.')]


class Switch(StrEnum):
    """What a person says to a use."""

    ON = "on"
    OFF = "off"


class Format(StrEnum):
    """Who wrote a file."""

    BEFIT = "befit"
    MEM0 = "mem0"
    CHATGPT = "chatgpt"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    # a value below 0 is no option
    app.command(context_settings={"ignore_unknown_options": True})(correct)
    for command in (pin, reject, release, consent, held, forget):
        app.command()(command)
    app.command("import")(import_)
    app.command("rotate")(rotate)


def heeding(cycle: "Cycle", shop: "Workshop") -> "tuple[Cycle, ConsentedMemory]":
    """The cycle with a memory that heeds its people, and that memory."""
    rights = late("app.rights")
    memory: ConsentedMemory = rights.heeding(cycle.memory, shop.settings.memory)
    journal = rights.heeding_journal(cycle.journal, memory)
    return replace(cycle, memory=memory, journal=journal), memory


def heeding_cycle() -> "tuple[Cycle, ConsentedMemory]":
    """As `heeding`, of the cycle that the settings describe."""
    shop = workshop()
    return heeding(shop.cycle(), shop)


def someone(cycle: "Cycle", memory: "ConsentedMemory", user: str) -> UserId:
    """The person's id, where something is known of them, decided by them, or waits for them.

    Raises:
        UnknownUserError: Nothing is.
    """
    who = UserId(user)
    if memory.ledger.decisions(who) or memory.ledger.held(who):
        return who
    return known(cycle, user)


def correct(
    user: Person,
    dimension: Belief,
    value: Annotated[float, typer.Argument(help="Where they stand, -1 to 1.", min=-1, max=1)],
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Set a belief right; what was observed before gives way."""
    _, memory = heeding_cycle()
    said = memory.correct(UserId(user), dimension, value, now(), scope)
    show(said, f"{dimension} is {value:+.2f} [{said.id}]", as_json=as_json)


def pin(user: Person, dimension: Belief, scope: Scope = "", as_json: Json = False) -> None:
    """Hold a belief where it now is."""
    _judge("pin", user, dimension, scope, as_json=as_json)


def reject(user: Person, dimension: Belief, scope: Scope = "", as_json: Json = False) -> None:
    """End a belief; only the person's own later word brings it back."""
    _judge("reject", user, dimension, scope, as_json=as_json)


def release(user: Person, dimension: Belief, scope: Scope = "", as_json: Json = False) -> None:
    """End a pin or a rejection."""
    _judge("release", user, dimension, scope, as_json=as_json)


def _judge(verb: Any, user: str, dimension: str, scope: str, *, as_json: bool) -> None:
    cycle, memory = heeding_cycle()
    made = memory.judge(someone(cycle, memory, user), verb, dimension, now(), scope)
    at = f" at {made.value:+.2f}" if verb == "pin" else ""
    show(made, f"{dimension}: {verb}{at}", as_json=as_json)


def consent(
    user: Person,
    kind: Annotated[str, typer.Argument(help="A kind of evidence, or sensitive.")] = "",
    purpose: Annotated[str, typer.Argument(help="personalize, train or evaluate.")] = "",
    switch: Annotated[Switch | None, typer.Argument(help="on or off.")] = None,
    as_json: Json = False,
) -> None:
    """Allow a use of a kind of evidence, or take that back; with nothing more, show what holds."""
    _, memory = heeding_cycle()
    who = UserId(user)
    if kind and switch is not None:
        memory.consent(who, kind, purpose, now(), allowed=switch is Switch.ON)
    elif kind:
        raise InputError(
            "a consent names a kind, a purpose, and on or off",
            hint=f"befit consent {user} stated personalize off",
            field="switch",
        )
    rows = memory.consents(who)
    lines = "\n".join(f"{'on ' if r.allowed else 'off'}  {r.kind} · {r.purpose}" for r in rows)
    made = [{"kind": r.kind, "purpose": r.purpose, "allowed": r.allowed} for r in rows]
    show({"user": user, "consents": made}, lines, as_json=as_json)


def held(
    user: Person,
    confirm: Annotated[
        list[str] | None, typer.Option(help="Make it the person's own word; may be repeated.")
    ] = None,
    discard: Annotated[
        list[str] | None, typer.Option(help="Let go of it; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What waits for the person's word before it is remembered, and why."""
    _, memory = heeding_cycle()
    who = UserId(user)
    done = {
        "confirmed": memory.confirm(who, confirm) if confirm else 0,
        "discarded": memory.ledger.drop_held(who, discard) if discard else 0,
    }
    rows = memory.ledger.held(who)
    lines = [f"{each.evidence.id}  {each.reason}: {each.evidence.text}" for each in rows]
    lines += [f"{count} {what}" for what, count in done.items() if count]
    text = "\n".join(lines) or "nothing waits"
    show({"user": user, **done, "held": [asdict(r) for r in rows]}, text, as_json=as_json)


def forget(
    user: Person,
    *,
    evidence: Annotated[
        list[str] | None,
        typer.Option("--id", "--evidence", help="Only this observation; may be repeated."),
    ] = None,
    topic: Annotated[str, typer.Option(help="Only what is about this, in a few words.")] = "",
    since: Annotated[str, typer.Option("--from", help="Only from this day or time on.")] = "",
    until: Annotated[str, typer.Option("--to", help="Only until this day or time.")] = "",
    as_json: Json = False,
) -> None:
    """Erase a person, or a part of what is known of them, with all that was learned from it."""
    cycle, memory = heeding_cycle()
    who = someone(cycle, memory, user)
    if not (evidence or topic or since or until):
        gone = cycle.forget(who)
        show({"user": user, "erased": gone}, f"{gone} records erased", as_json=as_json)
        return
    forgetting = late("memory.forgetting")
    part = forgetting.Part(
        ids=tuple(evidence or ()),
        topic=topic,
        since=_beginning(since),
        until=day(until) if until else None,
    )
    went = forgetting.forget_part(memory, cycle.journal, cycle.artifacts, who, part)
    counts = asdict(went)
    lines = ", ".join(f"{count} {what}" for what, count in counts.items())
    show({"user": user, "erased": went.evidence, **counts}, f"erased: {lines}", as_json=as_json)


def _beginning(text: str) -> Any:
    """A day means its beginning here."""
    at = day(text) if text else None
    return at.replace(hour=0, minute=0, second=0) if at and len(text) == len("2026-01-31") else at


def import_(
    file: Annotated[Path, typer.Argument(help="What befit or another product exported.")],
    written_by: Annotated[Format, typer.Option("--format", help="Who wrote it.")] = Format.BEFIT,
    user: Annotated[
        str, typer.Option(help="Whose it shall be; needed for another product's file.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Take a person over from a file."""
    try:
        data: Any = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidImportError(
            f"{file} does not read: {error}", hint="give a file of `befit export`", field="file"
        ) from error
    _, memory = heeding_cycle()
    taken = late("app.importing").take_over(
        memory, data, written_by.value, UserId(user) if user else None, now()
    )
    counts = {name: count for name, count in asdict(taken).items() if name != "user"}
    lines = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    show(
        {"file": str(file), "user": taken.user, **counts},
        lines or "nothing to take over",
        as_json=as_json,
    )


def rotate(as_json: Json = False) -> None:
    """Put a new master key in place of the old, while the server serves; only of a sealed store."""
    options = workshop().settings.memory
    keys = Path(options.get("keys") or f"{options.get('path', 'befit.db')}.keys")
    if not keys.exists():
        raise InputError(
            f"there are no keys at {keys}", hint='set memory.use = "sealed"', field="memory.keys"
        )
    count = late("memory.sealed").vault_at(keys, "").rotate()
    show({"keys": str(keys), "wrapped": count}, f"{count} keys wrapped anew", as_json=as_json)
