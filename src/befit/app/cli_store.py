"""Commands about the store: ``befit store copy``, ``retain`` and ``limit``."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

import typer

from befit.app.cli_shared import Json, Person, late, now, progress, show, wired, workshop
from befit.core.errors import InputError
from befit.core.people import UserId

_SCHEMES = ("postgresql://", "postgres://")
_FORM = (
    "befit.db, befit.db#shards=8, or postgresql://host/database#tenant=t&files=FOLDER;"
    " an encrypted one with keys=FILE"
)

store = typer.Typer(help="Where everything is kept.", no_args_is_help=True)
Address = Annotated[str, typer.Argument(help=_FORM)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    store.callback()(_stores)
    store.command("copy")(copy)
    store.command("retain")(retain)
    store.command("limit")(limit)
    app.add_typer(store, name="store")


def _stores() -> None:
    """Where everything is kept."""


def copy(source: Address, target: Address, as_json: Json = False) -> None:
    """Copy memory, journal, artifacts and decisions to another store; what is there stays."""
    if source == target:
        raise InputError("that is the same store twice", hint="name another", field="target")
    here, there = _place(source, "source"), _place(target, "target")
    done = late("memory.copy").copy_store(here, there, progress())
    for place in (here, there):
        place.memory.close()
    lines = (
        f"{done.people} people, {done.evidence} pieces of evidence, {done.turns} turns,"
        f" {done.artifacts} artifacts, {done.decisions} decisions and {done.held} that wait:"
        " all of it is there"
    )
    show(done, lines, as_json=as_json)


def retain(
    dry_run: Annotated[bool, typer.Option(help="Say what holds, and erase nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Erase what is older than ``retention`` in the settings, or than its person, allows."""
    made, kept = workshop(), late("memory.retention")
    limits, cycle = made.settings.retention, made.cycle()
    kept.check_limits(limits)
    memory: Any = cycle.memory  # one that heeds its people, whatever is within
    ledger = memory.ledger
    people = sorted({*memory.people(), *ledger.people()})
    told = ", ".join(f"{name} {days:g} days" for name, days in sorted(limits.items()))
    if dry_run:
        own = [user for user in people if kept.limits_of(ledger.decisions(user), {})]
        lines = f"{told or 'no limits'}; {len(people)} people, {len(own)} with limits of their own"
        show({"limits": limits, "people": len(people), "own": own}, lines, as_json=as_json)
        return
    everything = kept.Kept(
        memory=memory, journal=made.journal, artifacts=cycle.artifacts, ledger=ledger
    )
    done = kept.sweep(everything, people, limits, now())
    lines = (
        f"of {done.people} people {done.evidence} pieces of evidence, {done.turns} turns,"
        f" {done.held} that waited and {done.artifacts} artifacts were too old, and are erased"
    )
    show(done, lines, as_json=as_json)


def limit(
    user: Person,
    name: Annotated[str, typer.Argument(metavar="CLASS", help="A kind, turns or waiting.")],
    days: Annotated[float, typer.Argument(help="Longest, in days; 0 takes the limit back.", min=0)],
    as_json: Json = False,
) -> None:
    """Keep a class of what is known of a person no longer than they want."""
    memory: Any = wired().memory
    made = late("memory.retention").limit(memory.ledger, UserId(user), name, days, now())
    lines = f"{name}: at most {days:g} days" if days else f"{name}: as long as anyone's"
    show(made, lines, as_json=as_json)


def _place(address: str, argument: str) -> Any:
    """The store at an address; a source must be there."""
    where, _, rest = address.partition("#")
    options = dict(parse_qsl(rest, keep_blank_values=True))
    if where.startswith(_SCHEMES):
        return _postgres(where, options, argument)
    if argument == "source" and not _is_there(Path(where)):
        raise InputError(f"there is no store {where}", hint=_FORM, field=argument)
    _known(options, ("shards", "keys"), argument)
    shards = options.get("shards", "1")
    if not shards.isdecimal():
        raise InputError(f"{shards!r} is no number of files", hint=_FORM, field=argument)
    if "keys" in options:
        common = {"shards": int(shards), "keys": _keys(options, argument)}
        memory = late("memory.sealed").SealedMemory(where, **common)
        journal = late("memory.sealed").SealedJournal(where, **common)
    else:
        memory = late("memory.sqlite").SqliteMemory(where, shards=int(shards))
        journal = late("memory.journal").SqliteJournal(where, shards=int(shards))
    artifacts = late("memory.artifacts").SqliteArtifacts(where)
    return _together(memory, journal, artifacts)


def _together(memory: Any, journal: Any, artifacts: Any) -> Any:
    return late("memory.copy").Place(
        memory=memory, journal=journal, artifacts=artifacts, ledger=memory.ledger()
    )


def _keys(options: dict[str, str], argument: str) -> str:
    """The file of master keys of an encrypted store; a source must have one."""
    keys = options["keys"]
    if not keys or (argument == "source" and not Path(keys).is_file()):
        raise InputError(f"there are no keys at {keys!r}", hint=_FORM, field=argument)
    return keys


def _is_there(path: Path) -> bool:
    return path.is_file() or any(path.parent.glob(f"{path.stem}.*-of-*{path.suffix}"))


def _postgres(where: str, options: dict[str, str], argument: str) -> Any:
    _known(options, ("tenant", "files", "keys"), argument)
    common = (where, options.get("tenant", "default"))
    files = {"files": options["files"]} if "files" in options else {}
    artifacts = late("memory.postgres_shelf").PostgresArtifacts(*common, **files)
    if "keys" in options:
        keys, sealed = _keys(options, argument), late("memory.postgres_sealed")
        memory = sealed.SealedPostgresMemory(*common, keys=keys)
        return _together(memory, sealed.SealedPostgresJournal(*common, keys=keys), artifacts)
    plain = late("memory.postgres")
    return _together(plain.PostgresMemory(*common), plain.PostgresJournal(*common), artifacts)


def _known(options: dict[str, str], known: tuple[str, ...], argument: str) -> None:
    for name in options:
        if name not in known:
            raise InputError(f"nothing reads {name!r} of a store", hint=_FORM, field=argument)
