"""What works on this machine, what does not, and the way out. Changes nothing.

Looks at settings, libraries, components, models, the store, the guards and at what personalization
lacks. A missing extra is no fault; a component that the settings name and that does not load is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

import httpx

from befit.app.build import Workshop
from befit.app.cli_shared import late
from befit.app.settings import Settings, config_path
from befit.core.errors import BefitError, MissingExtraError
from befit.core.people import UserId
from befit.core.registry import EXTRAS, KINDS, find, names

REACH_S = 5.0  # how long to wait for an upstream's list of models


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What it was.
        ok: Whether it serves as it stands.
        says: How it stands.
        way_out: What to do, where something can be done.
    """

    what: str
    ok: bool
    says: str
    way_out: str = ""


@runtime_checkable
class Measured(Protocol):
    """A guard that knows how well it does."""

    def figures(self) -> Mapping[str, float]: ...


def examine(load: Callable[[], Settings]) -> list[Finding]:
    """Everything, each part even where another failed.

    Args:
        load: Reads the settings.
    """
    try:
        shop = Workshop(load())
    except BefitError as error:
        return [_failed("settings", error), *_libraries()]
    path = config_path()
    says = str(path) if path.exists() else f"defaults; there is no {path}"
    found = [Finding(what="settings", ok=True, says=says), *_libraries(), *_components()]
    for what, look in (
        ("model", _model),
        ("store", _store),
        ("guards", _guards),
        ("personalization", _personalization),
    ):
        try:
            found += look(shop)
        except BefitError as error:
            found.append(_failed(what, error))
    return found


def _failed(what: str, error: BefitError) -> Finding:
    return Finding(what=what, ok=False, says=str(error), way_out=error.hint)


def _libraries() -> Iterator[Finding]:
    for extra in sorted(set(EXTRAS.values())):
        wanted = [library for library, each in EXTRAS.items() if each == extra]
        absent = [library for library in wanted if find_spec(library) is None]
        yield Finding(
            what=f"extra {extra}",
            ok=True,
            says=f"without {', '.join(absent)}" if absent else "installed",
            way_out=f"pip install 'befit[{extra}]'" if absent else "",
        )


def _components() -> Iterator[Finding]:
    for kind in KINDS:
        loaded, problems = [], []
        for name in names(kind):
            try:
                find(kind, name)
                loaded.append(name)
            except MissingExtraError as error:
                loaded.append(f"{name} ({error})")
            except BefitError as error:
                problems.append(f"{name}: {error}")
        yield Finding(
            what=f"component {kind}",
            ok=not problems,
            says="; ".join([", ".join(loaded), *problems]),
            way_out="reinstall the package that brings it" if problems else "",
        )


def _model(shop: Workshop) -> Iterator[Finding]:
    wanted = shop.settings.upstream
    if not wanted.url:
        policy = shop.policy
        yield Finding(what="model", ok=True, says=f"{type(policy).__name__}, in this process")
        yield from _embedded()
        return
    try:
        status = httpx.get(f"{wanted.url.rstrip('/')}/models", timeout=REACH_S).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        way_out = "start the server, or correct upstream.url"
        yield Finding(what="model", ok=False, says=f"{wanted.url}: {error}", way_out=way_out)
        return
    yield Finding(what="model", ok=status < 500, says=f"{wanted.url} answers with {status}")


def _embedded() -> Iterator[Finding]:
    for status in late("models.prepare").statuses():
        yield Finding(
            what=f"model {status.name}",
            ok=status.verified,
            says=status.problem or f"{status.role}, checksums right, ready to load",
            way_out="" if status.verified else "befit models prepare",
        )


def _store(shop: Workshop) -> Iterator[Finding]:
    shop.journal.read(UserId(""))
    memory = shop.settings.memory  # a DSN may hold a password, so it is not shown
    place = memory.get("path", memory["use"])
    yield Finding(what="store", ok=True, says=f"{place} can be read")


def _guards(shop: Workshop) -> Iterator[Finding]:
    boundary = shop.boundary
    gates = [*(guard.name for guard in boundary.guards), *(s.name for s in boundary.screens)]
    yield Finding(what="guards", ok=True, says=", ".join(gates))
    for guard in boundary.guards:
        if isinstance(guard, Measured):
            shown = [f"{name} {x:.2f}" for name, x in guard.figures().items() if _is_told(name)]
            says = "; ".join(shown) or "nothing was measured"
            yield Finding(what=f"guard {guard.name} on held-out texts", ok=True, says=says)


def _is_told(figure: str) -> bool:
    return figure.endswith(("/heads/recall", "/heads/false_refusals"))


def _personalization(shop: Workshop) -> Iterator[Finding]:
    """What it works with, and why a part of it is off."""
    encoder = shop.encoder
    yield Finding(
        what="meaning of texts",
        ok=True,
        says=encoder.name if encoder else "off: no encoder, so memories are found by words alone",
        way_out="" if encoder else "pip install 'befit[models]'",
    )
    learned = shop.artifacts.active(None, "reward")
    yield Finding(
        what="personal reward",
        ok=True,
        says=f"learned {learned.at:%Y-%m-%d}" if learned else "off: none was learned yet",
        way_out="" if learned else "befit learn, once people have compared answers",
    )
