"""Commands about the store: ``befit store copy``."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

import typer

from befit.app.cli_shared import Json, late, progress, show
from befit.core.errors import InputError

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
