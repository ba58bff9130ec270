"""Files that a person brings: what they wrote, and what they rated, as CSV, JSON lines or text.

Columns go by their usual names (``rating``, ``stars``, ``genres``, ``timestamp`` ...); what has no
column is left empty, what does not make sense is refused by its row. Packed files (``.gz``) are
unpacked. It infers nothing: that is `app.inferring`.
"""

import csv
import gzip
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from befit.core.errors import InputError
from befit.features.affinity import topics_of

LARGEST = 64_000_000  # bytes of one file, unpacked

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "body", "content", "message", "post", "review"),
    "at": ("at", "time", "timestamp", "date", "created_at"),
    "who": ("user", "userid", "user_id", "person", "who", "author"),
    "item": ("item", "itemid", "item_id", "movieid", "id"),
    "value": ("rating", "value", "stars", "score"),
    "title": ("title", "name", "item_text", "text", "description"),
    "topics": ("topics", "genres", "tags", "categories", "keywords"),
}
_NO_TOPIC = "(no genres listed)"


@dataclass(frozen=True, slots=True)
class Post:
    """Something that a person wrote, and when, UTC."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A rating of something that has words.

    Attributes:
        who: Whose rating; "" where the file is of one person.
        item: Which item.
        value: On the scale of the file.
        at: When, UTC.
        title: What the item is called; may be empty.
        topics: What it is about, in lower case.
    """

    who: str
    item: str
    value: float
    at: datetime
    title: str
    topics: tuple[str, ...]


def read_posts(path: Path, at: datetime) -> tuple[Post, ...]:
    """The posts of a file: a text file is one, of a table each row.

    Args:
        path: Ending in .csv or .jsonl, packed or not; anything else is plain text.
        at: The time of those that have none.

    Raises:
        InputError: The file does not read, or a row makes no sense.
    """
    if _kind(path) not in (".csv", ".jsonl"):
        return (Post(_text(path), at),)
    posts = [
        Post(str(row["text"]), _time(row.get("at"), at, number))
        for number, row in _rows(path, ("text", "at"), needed=("text",))
    ]
    return tuple(post for post in posts if post.text.strip())


def read_ratings(path: Path, items: Path | None, at: datetime) -> tuple[Opinion, ...]:
    """The ratings of a file, with what their items are about.

    Args:
        path: A .csv or .jsonl file with a rating and an item, or the item's text, in each row.
        items: Another one that tells the items' titles and topics; None where each row does. Where
            no topics are told, words that several items share stand in for them.
        at: The time of ratings that have none.

    Raises:
        InputError: A file does not read, or a row makes no sense.
    """
    columns = ("who", "item", "value", "at", "title", "topics")
    about: dict[str, Mapping[str, Any]] = {}
    if items is not None:
        told = _rows(items, ("item", "title", "topics"), needed=("item",))
        about = {str(row["item"]): row for _, row in told}
    found: list[Opinion] = []
    for number, row in _rows(path, columns, needed=("value",)):
        name = str(row.get("item") or row.get("title") or "")
        if not name:
            raise _wrong(f"row {number} names no item", "item")
        told_of = {**about.get(name, {}), **{k: v for k, v in row.items() if v not in (None, "")}}
        found.append(
            Opinion(
                who=str(row.get("who") or ""),
                item=name,
                value=_number(row["value"], number),
                at=_time(row.get("at"), at, number),
                title=str(told_of.get("title") or "").strip(),
                topics=_topics(told_of.get("topics")),
            )
        )
    return _with_words(found)


def _with_words(found: list[Opinion]) -> tuple[Opinion, ...]:
    """Where no item has topics, the words of their texts."""
    if any(each.topics for each in found):
        return tuple(found)
    words = topics_of({each.item: each.title for each in found})
    return tuple(
        Opinion(
            who=each.who,
            item=each.item,
            value=each.value,
            at=each.at,
            title=each.title,
            topics=words[each.item],
        )
        for each in found
    )


def _topics(told: object) -> tuple[str, ...]:
    if isinstance(told, (list, tuple)):
        parts: Iterable[str] = (str(each) for each in told)
    else:
        text = str(told or "")
        parts = text.split(next((mark for mark in "|;," if mark in text), "|"))
    names = (part.strip().lower() for part in parts)
    return tuple(dict.fromkeys(name for name in names if name and name != _NO_TOPIC))


def _rows(
    path: Path, wanted: tuple[str, ...], needed: tuple[str, ...]
) -> Iterable[tuple[int, dict[str, Any]]]:
    """Numbered rows, under our names of the columns."""
    text = _text(path)
    if _kind(path) == ".jsonl":
        raw = [(n, _object(line, n)) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    else:
        raw = list(enumerate(csv.DictReader(io.StringIO(text, newline="")), 2))
    if not raw:
        raise _wrong(f"{path.name} has no rows", "file")
    for number, row in raw:
        folded = {str(name).strip().lower(): value for name, value in row.items()}
        made = {
            name: next((folded[each] for each in _COLUMNS[name] if each in folded), None)
            for name in wanted
        }
        for name in needed:
            if made[name] is None:
                known = ", ".join(_COLUMNS[name])
                raise _wrong(f"row {number} of {path.name} has no {name} ({known})", name)
        yield number, made


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"line {number} is no JSON: {error}", "file") from error
    if not isinstance(row, dict):
        raise _wrong(f"line {number} is no object", "file")
    return row


def _kind(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _text(path: Path) -> str:
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                content = file.read(LARGEST + 1)
        else:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise _wrong(f"{path.name} has more than {LARGEST} bytes", "file")
        return content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _wrong(f"{path} does not read: {error}", "file") from error


def _number(value: object, number: int) -> float:
    try:
        read = float(str(value))
    except ValueError as error:
        raise _wrong(f"row {number}: {value!r} is no rating", "value") from error
    if not math.isfinite(read):
        raise _wrong(f"row {number}: {value!r} is no rating", "value")
    return read


def _time(value: object, default: datetime, number: int) -> datetime:
    """Seconds since 1970, or ISO 8601; without an offset it is UTC."""
    said = str(value if value is not None else "").strip()
    if not said:
        return default
    try:
        return datetime.fromtimestamp(float(said), UTC)
    except (ValueError, OverflowError, OSError):
        pass  # then it is a date in words
    try:
        read = datetime.fromisoformat(said)
    except ValueError as error:
        raise _wrong(f"row {number}: {said!r} is no time", "at") from error
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def _wrong(message: str, field: str) -> InputError:
    return InputError(message, hint="see `befit infer --help`", field=field)
