"""Commands that infer: what files show, what a text states, which belief changed an answer."""

import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from befit.app.cli_rights import heeding_cycle
from befit.app.cli_shared import Json, Person, Scope, late, now, progress, say, show, workshop
from befit.core.errors import ConfigError, InputError, UnknownResponseError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import USEFUL, Evidence

if TYPE_CHECKING:
    from befit.align.attribution import Share
    from befit.core.feedback import Interaction, Rating
    from befit.memory.consented import ConsentedMemory


class Given(StrEnum):
    """What a file holds."""

    POSTS = "posts"
    RATINGS = "ratings"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(infer)
    app.command()(distil)
    app.command()(attribute)


def infer(
    user: Person,
    file: Annotated[Path, typer.Argument(help="A .csv, .jsonl or text file, packed or not.")],
    *,
    holds: Annotated[Given, typer.Option("--from", help="What it holds.")] = Given.POSTS,
    items: Annotated[
        Path | None, typer.Option(help="Titles and topics of the rated items, where apart.")
    ] = None,
    their_id: Annotated[
        str, typer.Option("--as", help="Who the person is in a file of many people's ratings.")
    ] = "",
    scope: Scope = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Infer beliefs from what a person wrote or rated, and remember what they rest on."""
    _, memory = heeding_cycle()
    if holds is Given.RATINGS:
        found = _read_ratings(UserId(user), file, items, their_id, scope)
    elif items is None and not their_id:
        found = _read_posts(memory, UserId(user), file, scope)
    else:
        raise InputError(
            "--items and --as belong to ratings", hint="add --from ratings", field="from"
        )
    kept, sifted = late("app.inferring").keepable(memory, found)
    if not dry_run:
        before = {each.id: each for each in memory.evidence(UserId(user))}
        stale = [e.id for e in kept if e.id in before and before[e.id].values != e.values]
        if stale:  # the file has grown, and what it says of the last days has changed
            memory.forget(UserId(user), stale)
        memory.remember([*kept, *(each.evidence for each in sifted.held)])
    reasons = Counter(each.reason for each in (*sifted.refused, *sifted.held))
    told = [(name, value, e) for e in kept for name, value in e.values.items()]
    lines = [
        f"{name} {value:+.2f} ±{e.noise:.2f}  [{e.id}] {e.at:%Y-%m-%d}" for name, value, e in told
    ]
    lines += [f"{count} left out: {reason}" for reason, count in sorted(reasons.items())]
    shown = {
        "user": user,
        "evidence": kept,
        "held": len(sifted.held),
        "refused": len(sifted.refused),
        "reasons": dict(reasons),
    }
    show(shown, "\n".join(lines) or "it says nothing of its writer", as_json=as_json)


def _read_posts(
    memory: "ConsentedMemory", user: UserId, file: Path, scope: str
) -> Sequence[Evidence]:
    at, inferring = now(), late("app.inferring")
    made = late("app.projecting").Projecting(shop=workshop()).projector(memory, user, at)
    posts, tell = late("app.given").read_posts(file, at), progress()
    found: list[Evidence] = []
    for number, post in enumerate(posts, 1):
        found += inferring.authored(made, user, post.text, post.at, scope=scope)
        tell("texts", number, len(posts))
    return found


def _read_ratings(
    user: UserId, file: Path, items: Path | None, their_id: str, scope: str
) -> Sequence[Evidence]:
    given, inferring = late("app.given"), late("app.inferring")
    opinions = given.read_ratings(file, items, now())
    names = {each.who for each in opinions}
    person = their_id or (user if user in names else next(iter(names)) if len(names) == 1 else "")
    own = [each for each in opinions if each.who == person]
    if not own:
        raise InputError(
            f"the file has ratings of {len(names)} people, and none of {person or user!r}",
            hint="say who they are in the file: --as ID",
            field="as",
        )
    found: Sequence[Evidence] = inferring.liked(
        inferring.population(opinions, person), user, own, scope
    )
    return found


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
    reading = late("features.distil")
    for note in late("features.doubts").doubts(text, reading.LONGEST):
        say(note)
    distiller = reading.Distiller(space=workshop().space)
    found, at = distiller.distil(late("features.foreign").own_part(text)), now()
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
    learn: Annotated[
        bool, typer.Option("--learn", help="Let praise and blame of it fall on what made it so.")
    ] = False,
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
    ratings = [each for each in turn.feedback if each.kind == "rating"]
    if learn and not ratings:
        raise InputError(
            "nobody rated this answer",
            hint=f"befit feedback {turn.response.id} --rating 0.8",
            field="learn",
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
    if learn:
        _credit(memory, turn, shares, ratings[-1])
    lines = [f"{share.nats:+.3f} nats a token  {share.belief}" for share in shares]
    show(shares, "\n".join(lines) or "no belief was used", as_json=as_json)


def _credit(
    memory: "ConsentedMemory", turn: "Interaction", shares: "Sequence[Share]", reaction: "Rating"
) -> None:
    """Put what was measured in place of the even split of praise and blame."""
    user = turn.context.user
    made = late("align.attribution").credit(shares, turn, reaction)
    used = {USEFUL + name for name in turn.response.beliefs}
    known = memory.evidence(user)
    even = [e.id for e in known if e.at == reaction.at and e.values and used >= e.values.keys()]
    if even:
        memory.forget(user, even)
    memory.remember(made)
