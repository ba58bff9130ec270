"""Commands about one person: respond, chat, remember, feedback, profile, export."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from befit.app import cli_rights
from befit.app.cli_rights import heeding, heeding_cycle, someone
from befit.app.cli_shared import (
    Json,
    Person,
    Scope,
    answered,
    day,
    late,
    now,
    say,
    show,
    turn,
    workshop,
)
from befit.core.dialogue import Message
from befit.core.errors import InputError, InvalidFeedbackError
from befit.core.people import UserId

if TYPE_CHECKING:
    from befit.app.listening import Listener
    from befit.core.dialogue import Response

Seed = Annotated[int, typer.Option(help="For the models that sample.")]
Incognito = Annotated[bool, typer.Option("--incognito", help="Keep nothing of this.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (respond, chat, remember, feedback, profile, export):
        app.command()(command)
    cli_rights.register(app)


def respond(
    user: Person,
    prompt: Annotated[str, typer.Argument(help="What they ask.")],
    *,
    scope: Scope = "",
    seed: Seed = 0,
    incognito: Incognito = False,
    as_json: Json = False,
) -> None:
    """Answer a person once, and do with it what they say: remember, forget."""
    asked = turn(user, prompt, scope=scope, seed=seed, incognito=incognito)
    response, gone = _listener().respond(asked)
    used = ", ".join(response.beliefs) or "none"
    told = f"beliefs used: {used}" if gone is None else f"forgotten: {gone}"
    show(_shown(response, gone), f"{response.text}\n\n[{response.id} · {told}]", as_json=as_json)


def _listener() -> "Listener":
    """What hears a turn, as the settings describe it."""
    shop = workshop()
    cycle, _ = heeding(shop.cycle(), shop)
    return shop.listener(cycle)


def _shown(response: "Response", gone: int | None) -> dict[str, Any]:
    """A response for the wire, and how many records were forgotten where that was asked."""
    return answered(response) | ({} if gone is None else {"forgotten": gone})


def chat(
    user: Person, scope: Scope = "", incognito: Incognito = False, as_json: Json = False
) -> None:
    """Talk with a person, a line a turn; an empty line or the end of input ends it."""
    listener = _listener()
    messages: tuple[Message, ...] = ()
    while True:
        print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline().strip()
        if not line:
            return
        asked = turn(user, line, scope=scope, incognito=incognito)
        asked = replace(asked, messages=(*messages, *asked.messages))
        response, gone = listener.respond(asked)
        messages = (*asked.messages, Message("assistant", response.text))
        show(_shown(response, gone), response.text, as_json=as_json)


def remember(
    user: Person,
    text: Annotated[str, typer.Argument(help="In the person's own words.")],
    scope: Scope = "",
    at: Annotated[str, typer.Option(help="When it was true; empty is now.")] = "",
    as_json: Json = False,
) -> None:
    """Keep something that a person said."""
    shop = workshop()
    said = late("app.evidence").stated(shop.space, UserId(user), text, day(at), scope)
    cycle, memory = heeding(shop.cycle(), shop)
    sifted = memory.sift([said])
    for each in sifted.refused:
        kind = "sensitive" if "sensitive" in each.reason else each.evidence.kind.value
        raise InputError(
            each.reason, hint=f"befit consent {user} {kind} personalize on", field="text"
        )
    cycle.remember([said])
    for note in late("features.doubts").doubts(text, late("features.statements").LONGEST):
        say(note)
    for each in sifted.held:
        show(each, f"waits for their word: {each.reason} [befit held {user}]", as_json=as_json)
        return
    read = ", ".join(f"{name} {value:+.2f}" for name, value in said.values.items())
    show(said, f"remembered {said.id}: {read or 'as text alone'}", as_json=as_json)


def feedback(
    response_id: Annotated[str, typer.Argument(help="The id that `befit respond` printed.")],
    *,
    user: Annotated[str, typer.Option(help="Whose response it is; looked up where empty.")] = "",
    rating: Annotated[float | None, typer.Option(help="How good, 0 to 1.")] = None,
    over: Annotated[str, typer.Option(help="The response it was better than.")] = "",
    edit: Annotated[str | None, typer.Option(help="The text they would rather have.")] = None,
    comment: Annotated[str | None, typer.Option(help="What they say about it.")] = None,
    copied: Annotated[bool, typer.Option("--copied", help="They copied it.")] = False,
    regenerated: Annotated[bool, typer.Option("--regenerated", help="They asked again.")] = False,
    dwell: Annotated[float | None, typer.Option(help="Seconds they looked at it.")] = None,
    ai: Annotated[bool, typer.Option("--ai", help="A model rates in their place.")] = False,
    as_json: Json = False,
) -> None:
    """React to a response, in one way or several."""
    read, (cycle, _) = late("app.cli_feedback"), heeding_cycle()
    who = UserId(user) if user else read.owner(cycle, response_id)
    behaviour = {"copied": float(copied), "regenerated": float(regenerated), "dwell_seconds": dwell}
    said = {"rating": rating, "over": over or None, "edit": edit, "comment": comment}
    made = read.reactions(response_id, now(), said, behaviour)
    if ai:
        made += read.by_ai(cycle, who, response_id, now())
    if not made:
        raise InvalidFeedbackError("no reaction is given", hint="give --rating 0.8, or another")
    learned = [evidence for reaction in made for evidence in cycle.receive(who, reaction)]
    lines = f"{len(made)} kept; {len(learned)} observations learned"
    show({"reactions": made, "evidence": learned}, lines, as_json=as_json)


def profile(
    user: Person,
    why: Annotated[
        bool, typer.Option("--why", help="Show the evidence and the arithmetic.")
    ] = False,
    as_of: Annotated[str, typer.Option(help="What was believed on that day.")] = "",
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """What is believed of a person, and how sure that is."""
    asked = turn(user, "", at=day(as_of), scope=scope)
    cycle, memory = heeding_cycle()
    who = someone(cycle, memory, user)
    beliefs = cycle.memory.recall(asked).preferences
    rows = [asdict(each) for each in sorted(beliefs, key=lambda p: (-abs(p.mean), p.dimension))]
    if why:
        shop = workshop()
        rows = late("app.cli_profile").rows(
            beliefs,
            cycle.memory.evidence(who),
            memory.usable(who, "personalize"),
            shop.build("inferer", shop.settings.inferer, "inferer"),
            (shop.space, asked.at, scope),
        )
    lines = late("app.cli_profile").lines(rows)
    show({"user": user, "scope": scope, "beliefs": rows}, lines, as_json=as_json)


def export(
    user: Person,
    file: Annotated[Path, typer.Argument(help="Where to write the JSON.")],
    as_json: Json = False,
) -> None:
    """Write all that is kept of a person to a file."""
    cycle, memory = heeding_cycle()
    who = someone(cycle, memory, user)
    data = late("memory.portability").export_person(memory, cycle.journal, who)
    data |= late("memory.portable_rights").export_rights(memory.ledger, who)
    try:
        file.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise InputError(
            f"{file}: {error.strerror}", hint="choose another", field="file"
        ) from error
    show({"user": user, "file": str(file)}, f"written to {file}", as_json=as_json)
