"""What every command shares: lazy wiring, the clock, and output for people or for programs."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from befit.core.dialogue import Context, Message
from befit.core.errors import InputError, UnknownUserError
from befit.core.people import UserId
from befit.core.registry import missing_extra

if TYPE_CHECKING:
    from befit.app.build import Workshop
    from befit.core.dialogue import Response
    from befit.cycle import Cycle

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Person = Annotated[str, typer.Argument(help="The person's opaque id.")]
Scope = Annotated[str, typer.Option(help='Part of life, such as "work"; empty is everywhere.')]


def late(module: str) -> Any:
    """A module of befit, loaded when a command needs it, so that ``--help`` is quick.

    Raises:
        MissingExtraError: An optional library is not installed; the hint is the install line.
    """
    try:
        return import_module(f"befit.{module}")
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error


def workshop() -> "Workshop":
    """The components that the settings describe, built as they are asked for."""
    settings = late("app.settings").load_settings()
    made: Workshop = late("app.build").Workshop(settings)
    return made


def wired() -> "Cycle":
    """The cycle that the settings describe."""
    return workshop().cycle()


def now() -> datetime:
    """The edge is where the clock is read."""
    return datetime.now(UTC)


def day(text: str) -> datetime:
    """A day or a time, ISO 8601; a day means its end, UTC; "" is now.

    Raises:
        InputError: It is neither.
    """
    if not text:
        return now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a date", hint="write it as 2026-01-31", field="as-of"
        ) from error
    if len(text) == len(date.min.isoformat()):
        at = at.replace(hour=23, minute=59, second=59)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def turn(user: str, text: str, **options: Any) -> Context:
    """What a person asks now."""
    messages = (Message("user", text),) if text else ()
    return Context(user=UserId(user), messages=messages, **{"at": now(), **options})


def known(cycle: "Cycle", user: str) -> UserId:
    """The person's id, where something is known of them.

    Raises:
        UnknownUserError: Nothing is.
    """
    who = UserId(user)
    if not cycle.memory.evidence(who) and not cycle.journal.read(who):
        raise UnknownUserError(
            f"nothing is known of {user!r}", hint=f"befit remember {user} TEXT", field="user"
        )
    return who


def answered(response: "Response") -> dict[str, Any]:
    """A response for the wire: never the draft."""
    shown = asdict(response)
    del shown["draft"]
    return shown


def show(value: Any, lines: str, *, as_json: bool) -> None:
    """Print a value as JSON, or as the lines that a person reads."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=1) if as_json else lines
    print(text, flush=True)


def progress() -> Callable[[str, int, int], None]:
    """A bar on standard error where a person is watching; else nothing."""
    watched = sys.stderr.isatty()

    def draw(what: str, done: int, total: int) -> None:
        if not watched:
            return
        width = 24 * done // max(total, 1)
        bar = "█" * width + "░" * (24 - width)
        end = "\n" if done >= total else ""
        print(f"\r\033[K{bar} {done}/{total} {what}", end=end, file=sys.stderr, flush=True)

    return draw


def say(line: str) -> None:
    """A line of progress on standard error."""
    print(line, file=sys.stderr, flush=True)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return value.value if isinstance(value, Enum) else str(value)
