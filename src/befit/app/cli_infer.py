"""Commands that infer: distil what a text states, and tell which belief changed an answer."""

import sys
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from befit.app.cli_rights import heeding_cycle
from befit.app.cli_shared import Json, Person, late, now, show, workshop
from befit.core.errors import ConfigError, InputError, UnknownResponseError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(distil)
    app.command()(attribute)


def distil(
    user: Person,
    file: Annotated[Path, typer.Argument(help="What they wrote; - is standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Find what a text states of its writer's own preferences, and remember it."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} does not read: {error}", hint="give a text file in UTF-8", field="file"
        ) from error
    cycle, _ = heeding_cycle()
    distiller = late("features.distil").Distiller(space=workshop().space)
    found, at = distiller.distil(text), now()
    if not dry_run:
        cycle.remember(
            Evidence(
                id=uuid4().hex,
                user=UserId(user),
                kind=EvidenceKind.AUTHORED,
                at=at,
                text=each.sentence,
                values=each.values,
                noise=each.noise,
                scope=each.scope,
            )
            for each in found
        )
    lines = [
        f"{each.confidence:.2f}  {', '.join(f'{n} {v:+.2f}' for n, v in each.values.items())}"
        f"{f' ({each.scope})' if each.scope else ''}: {each.sentence.strip()}"
        for each in found
    ]
    show(found, "\n".join(lines) or "it states no preference of its writer", as_json=as_json)


def attribute(
    user: Person,
    response_id: Annotated[str, typer.Argument(help="The id that `befit respond` printed.")],
    as_json: Json = False,
) -> None:
    """How much likelier each belief made an answer, measured by leaving it out."""
    shop = workshop()
    cycle, memory = heeding_cycle()
    turns = {turn.response.id: turn for turn in cycle.journal.read(UserId(user))}
    turn = turns.get(response_id)
    if turn is None:
        raise UnknownResponseError(
            f"no response {response_id!r} of this person",
            hint="give the id of a response that this person got",
            field="response_id",
        )
    attribution = late("align.attribution")
    if not isinstance(shop.upstream, attribution.Likelihoods):
        raise ConfigError(
            "the model behind the answers does not tell how likely it finds them",
            hint="leave upstream.url empty for a model in this process",
            field="upstream.url",
        )
    profile = cycle.boundary.screen(turn.context, memory.recall(turn.context))
    shares = attribution.attribute(
        shop.upstream, cycle.personalizer, profile, turn.context, turn.response.text
    )
    lines = [f"{share.nats:+.3f} nats a token  {share.belief}" for share in shares]
    show(shares, "\n".join(lines) or "no belief was used", as_json=as_json)
