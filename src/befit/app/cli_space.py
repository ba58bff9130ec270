"""Commands about spaces of preference: ``befit space list|show|check|migrate|measure``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from befit.app.cli_shared import Json, late, now, progress, show, workshop
from befit.app.cli_store import Address
from befit.core.errors import InputError
from befit.core.people import UserId

Space = Annotated[str, typer.Argument(help="The name of a space, or the path of a .toml file.")]

space = typer.Typer(help="The named dimensions of preference.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    space.callback()(_spaces)
    space.command("list")(list_)
    for command in (show_, migrate):
        space.command(command.__name__.rstrip("_"))(command)
    space.command("check")(check)
    space.command("measure")(measure)
    app.add_typer(space, name="space")


def _spaces() -> None:
    """The named dimensions of preference."""


def list_(as_json: Json = False) -> None:
    """The spaces that come with befit, and the one in use."""
    spaces = late("memory.spaces")
    used = str(workshop().settings.memory.get("space", "style"))
    names = [*spaces.shipped(), *([used] if used.endswith(".toml") else [])]
    rows = [_row(name, used) for name in names]
    lines = "\n".join(
        f"{'*' if r['used'] else ' '} {r['name']} {r['version']}: {r['dimensions']} dimensions,"
        f" {r['sensitive']} sensitive"
        for r in rows
    )
    show(rows, lines, as_json=as_json)


def _row(name: str, used: str) -> dict[str, Any]:
    spaces = late("memory.spaces")
    made = spaces.load_space(name)
    return {
        "name": name,
        "version": made.version,
        "dimensions": len(made.dimensions),
        "sensitive": len(spaces.special(name)),
        "used": name == used,
    }


def show_(name: Space, as_json: Json = False) -> None:
    """The dimensions of a space: both ends, how each is measured, what is sensitive."""
    spaces = late("memory.spaces")
    made, special = spaces.load_space(name), spaces.special(name)
    rows = [
        {
            "name": d.name,
            "low": d.low,
            "high": d.high,
            "universal": d.universal,
            "feature": d.feature,
            "sensitive": special.get(d.name, ""),
        }
        for d in made.dimensions
    ]
    lines = [f"{made.name} {made.version}"]
    for r in rows:
        marks = ["for everyone"] * r["universal"] + [f"counted: {r['feature']}"] * bool(
            r["feature"]
        )
        marks += [f"sensitive: {r['sensitive']}"] * bool(r["sensitive"])
        told = f"  ({'; '.join(marks)})" if marks else ""
        lines.append(f"{r['name']}: {r['low']} / {r['high']}{told}")
    shown = {"name": made.name, "version": made.version, "dimensions": rows}
    show(shown, "\n".join(lines), as_json=as_json)


def check(
    file: Annotated[Path, typer.Argument(help="The .toml file of a space.")], as_json: Json = False
) -> None:
    """Read a space as the server would; say what it has and what it lacks."""
    if file.suffix != ".toml":
        raise InputError(f"{file} is no .toml file", hint="rename it", field="file")
    spaces = late("memory.spaces")
    made, steps = spaces.load_space(str(file)), spaces.migrations(str(file))
    known = set(late("features.style").FEATURES)
    own = [d for d in made.dimensions if not d.universal]
    faults = {
        "feature": [d.name for d in own if d.feature and d.feature not in known],
        "ask_low or ask_high": [d.name for d in own if not (d.ask_low and d.ask_high)],
        "words_high": [d.name for d in own if not d.words_high],
    }
    says = {
        "feature": "name a feature that befit cannot measure",
        "ask_low or ask_high": "cannot be asked of a model at both ends",
        "words_high": "are never read in what people say",
    }
    lines = [
        f"{made.name} {made.version}: {len(made.dimensions)} dimensions,"
        f" {len(spaces.special(str(file)))} sensitive, {len(steps)} migrations"
    ]
    lines += [f"{', '.join(names)}: {says[what]}" for what, names in faults.items() if names]
    result = {"name": made.name, "version": made.version, "lacking": faults, "ok": True}
    show(result, "\n".join(lines), as_json=as_json)


def migrate(
    source: Address,
    target: Address,
    *,
    since: Annotated[str, typer.Option("--from", help="Version that the source was written in.")],
    until: Annotated[
        str, typer.Option("--to", help="Version to reach; empty is the space's.")
    ] = "",
    name: Annotated[
        str, typer.Option("--space", help="The space; empty is the one in the settings.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Copy a store into another one, with its evidence in the coordinates of a newer version."""
    if source == target:
        raise InputError("that is the same store twice", hint="name another", field="target")
    wanted = name or str(workshop().settings.memory.get("space", "style"))
    version = late("memory.spaces").load_space(wanted).version
    if until and until != version:
        raise InputError(
            f"{wanted} is at version {version}, not {until}", hint=f"--to {version}", field="to"
        )
    stores = late("app.cli_store")
    here = stores._place(source, "source")  # noqa: SLF001 - one way to name a store
    there = stores._place(target, "target")  # noqa: SLF001
    done = late("memory.migrating").migrate_store(here, there, wanted, since, progress())
    for place in (here, there):
        place.memory.close()
    lines = (
        f"{done.copied.people} people, {done.copied.evidence} pieces of evidence, {done.moved} of"
        f" them moved from version {since} to {version}; the old store is as it was"
    )
    show(done, lines, as_json=as_json)


def measure(
    texts: Annotated[int, typer.Option(help="Texts to ask the model about; 0 asks none.")] = 0,
    as_json: Json = False,
) -> None:
    """How far the projectors are off on texts whose place is known."""
    card = late("features.projection").card()
    rows: dict[str, Any] = {"anchors": card["anchors"]["figures"], "surface": card["surface"]}
    figures = rows["anchors"]
    lines = [
        f"anchors: {figures['direction']:.2f} of {figures['texts']:.0f} texts on the right side,"
        f" error {card['anchors']['calibration'][2]:.2f}, each dimension held out in turn"
    ]
    lines += [
        f"surface, {name}: error {(e['constant'] + e['per_word'] / 100) ** 0.5:.2f} at 100 words"
        for name, e in card["surface"].items()
    ]
    if texts:
        rows["asked"] = found = _asked(texts)
        lines.append(
            f"asked: speaks of {found['read']:.2f} of {texts} texts, {found['direction']:.2f} of"
            f" those on the right side, error {found['error']:.2f} (inference.asked_noise)"
        )
    show(rows, "\n".join(lines), as_json=as_json)


def _asked(count: int) -> dict[str, float]:
    """The same of the configured language model, on texts spread over the space of needs."""
    fitting, asked = late("features.fitting_projection"), late("features.asked_projection")
    shop, every = workshop(), late("features.fitting_projection").placed()
    some = [every[n * len(every) // count] for n in range(min(count, len(every)))]
    context = late("core.dialogue").Context(
        user=UserId("befit:nobody"), messages=(), at=now(), incognito=True
    )
    projector = asked.AskedProjector(
        policy=shop.upstream,
        space=late("memory.spaces").load_space("needs"),
        context=context,
        at_once=shop.settings.inference.asked_at_once,
    )
    found: dict[str, float] = fitting.measured_error(projector, some)
    return found
