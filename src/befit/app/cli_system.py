"""Commands about the installation: demo, key, models, components, doctor, serve."""

import json
from pathlib import Path
from typing import Annotated

import typer

from befit.app.cli_shared import Json, late, now, say, show, workshop
from befit.core.errors import InputError
from befit.core.registry import KINDS, names

key = typer.Typer(help="Bearer keys of the server.", no_args_is_help=True)
models = typer.Typer(help="The embedded models.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    key.callback()(_keys)
    key.command("create")(key_create)
    models.callback(invoke_without_command=True)(models_list)
    models.command("verify")(models_verify)
    models.command("prepare")(models_prepare)
    app.add_typer(key, name="key")
    app.add_typer(models, name="models")
    for command in (demo, components, doctor, serve):
        app.command()(command)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for demo.json and the page.")] = Path(
        "demo-out"
    ),
    as_json: Json = False,
) -> None:
    """The whole ring, with a real model and real people's data."""
    # all three first: a missing library is said now and not after minutes
    acts, summary, html = (late(f"app.demo.{part}") for part in ("run", "summary", "page"))
    shown = acts.run(out, say)
    content = summary.as_json(shown)
    (out / "demo.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (out / "index.html").write_text(html.page(shown), "utf-8")
    show(content, summary.screen(shown), as_json=as_json)


def _keys() -> None:
    """Bearer keys of the server."""


def key_create(
    person: Annotated[str, typer.Argument(help="Whose key it is.")] = "",
    service: Annotated[bool, typer.Option("--service", help="May act for others.")] = False,
    as_json: Json = False,
) -> None:
    """Make a key; it is shown this once."""
    if bool(person) == service:
        raise InputError(
            "a key is for one person or for a service",
            hint="befit key create PERSON, or befit key create --service",
            field="person",
        )
    settings = late("app.settings").load_settings()
    made = late("app.server.keys").KeyStore(settings.server.keys).create(person or None, now())
    show({"person": person or None, "key": made}, made, as_json=as_json)


def models_list(context: typer.Context, as_json: Json = False) -> None:
    """The embedded models, and whether each can be loaded."""
    if context.invoked_subcommand is None:
        _models(None, as_json=as_json)


def models_verify(
    name: Annotated[str, typer.Argument(help="One model; empty is all.")] = "",
    as_json: Json = False,
) -> None:
    """Read every byte and compare checksums."""
    if not _models(name or None, as_json=as_json):
        raise typer.Exit(1)


def models_prepare(
    name: Annotated[str, typer.Argument(help="One model; empty is all.")] = "",
    as_json: Json = False,
) -> None:
    """Convert into the cache what is not there yet."""
    for model in _model_names(name or None):
        late("models.prepare").prepare(model, say)
    _models(name or None, as_json=as_json)


def _model_names(name: str | None) -> list[str]:
    return [name] if name else [model.name for model in late("models.catalogue").CATALOGUE]


def _models(name: str | None, *, as_json: bool) -> bool:
    found = [late("models.prepare").verify(model) for model in _model_names(name)]
    states = [s.problem or ("ready" if s.prepared else "not prepared") for s in found]
    lines = [f"{s.name:<24} {s.role:<16} {state}" for s, state in zip(found, states, strict=True)]
    show(found, "\n".join(lines), as_json=as_json)
    return all(s.verified for s in found)


def components(as_json: Json = False) -> None:
    """What is installed of each kind."""
    found = {kind: names(kind) for kind in KINDS}
    lines = "\n".join(f"{kind:<14} {', '.join(each)}" for kind, each in found.items())
    show(found, lines, as_json=as_json)


def doctor(as_json: Json = False) -> None:
    """What works, what does not, and the way out."""
    found = late("app.doctor").examine(late("app.settings").load_settings)
    lines = "\n".join(
        f"{'ok  ' if f.ok else 'FAIL'} {f.what}: {f.says}"
        + (f"\n     way out: {f.way_out}" if f.way_out else "")
        for f in found
    )
    show(found, lines, as_json=as_json)
    if not all(f.ok for f in found):
        raise typer.Exit(1)


def serve(
    host: Annotated[str, typer.Option(help="Address; empty is server.host.")] = "",
    port: Annotated[int, typer.Option(help="Port; -1 is server.port.")] = -1,
    as_json: Json = False,
) -> None:
    """Answer OpenAI clients, each person personally, until interrupted."""
    shop, server = workshop(), late("app.server.main")

    def started(address: str, taken: int) -> None:
        url = f"http://{address}:{taken}/v1"
        show({"url": url}, f"listening on {url}", as_json=as_json)

    wanted = shop.settings.server
    app = late("app.cli_serve").application(shop)
    server.serve(app, host or wanted.host, wanted.port if port < 0 else port, started=started)
