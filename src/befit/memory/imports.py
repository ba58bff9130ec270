"""Takes over what another product knew of a person: mem0 and ChatGPT exports to evidence. Pure.

What such a file holds is partly a model's wording. The person who brings it vouches for it, so it
counts as theirs, but loosely: it is noisier than a statement, and what gives orders to a model or
needs consent is treated as anything that is remembered. Only the person's side of a conversation is
read. Reading the same file twice gives the same ids.

Source: mem0 (``get_all`` and its REST answer); the ``conversations.json`` of a ChatGPT data export,
and a list of its saved memories.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from befit.core.errors import InvalidImportError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.codec import is_text
from befit.memory.sifting import IMPORTED

LONGEST = 4_000  # characters of one memory; the rest of a longer text is left out
NOISE = 0.5  # of what another product understood

Read = Callable[[str], Mapping[str, float]]

_WHO = re.compile(r"^(?:the )?user(?:'s)? |^they |^(?:he|she) ", re.IGNORECASE)
_THIRD = {
    "likes": "like",
    "loves": "love",
    "enjoys": "enjoy",
    "prefers": "prefer",
    "wants": "want",
    "dislikes": "dislike",
    "hates": "hate",
    "adores": "adore",
    "avoids": "avoid",
    "needs": "need",
    "is": "am",
    "has": "have",
    "doesn't": "don't",
    "does": "do",
}


class _Found(NamedTuple):
    key: str
    text: str
    at: datetime | None
    kind: EvidenceKind


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file gave.

    Attributes:
        evidence: What can be remembered, in the order of the file.
        undated: How many pieces bore no time and were given the time of the import.
        shortened: How many texts were too long and were cut.
    """

    evidence: tuple[Evidence, ...]
    undated: int
    shortened: int


def read_mem0(data: object, user: UserId, at: datetime, read: Read) -> Imported:
    """The memories of a mem0 export.

    Args:
        data: The JSON values: a list of memories, or an object with them under ``results`` or
            ``memories``.
        user: Whose they shall be.
        at: When they are imported, UTC.
        read: What a text says of dimensions and topics.

    Raises:
        InvalidImportError: It is no such export; ``field`` names the place.
    """
    return _imported("mem0", _mem0(data), user, at, read)


def read_chatgpt(data: object, user: UserId, at: datetime, read: Read) -> Imported:
    """What the person wrote in a ChatGPT export, or its list of saved memories.

    Args:
        data: The JSON values: ``conversations.json``, or a list of memories, each a text or an
            object with one under ``content``, ``memory`` or ``text``.
        user: Whose they shall be.
        at: When they are imported, UTC.
        read: What a text says of dimensions and topics.

    Raises:
        InvalidImportError: It is no such export; ``field`` names the place.
    """
    listed = _listed(data, ("memories", "conversations"))
    talks = any(isinstance(each, Mapping) and "mapping" in each for each in listed)
    found = _conversations(listed) if talks else _memories(listed)
    return _imported("chatgpt", found, user, at, read)


def in_first_person(text: str) -> str:
    """A note on a person as they would say it: "Likes tea" to "I like tea"."""
    bare = _WHO.sub("", text, count=1)
    first, _, rest = bare.partition(" ")
    verb = _THIRD.get(first.casefold().replace("\u2019", "'"))
    return f"I {verb} {rest}" if verb and rest else text


def _imported(
    product: str, found: Iterator[_Found], user: UserId, at: datetime, read: Read
) -> Imported:
    made: dict[str, Evidence] = {}
    undated = shortened = 0
    for key, whole, when, kind in found:
        text = whole.strip()
        if not text or not is_text(text):
            continue
        undated += when is None
        shortened += len(text) > LONGEST
        text = text[:LONGEST]
        name = sha256(f"{product}\0{user}\0{key or text}".encode()).hexdigest()[:32]
        made[name] = Evidence(
            id=name,
            user=user,
            kind=kind,
            at=min(when or at, at),  # nothing is known from the future
            text=text,
            values=read(in_first_person(text)),
            noise=NOISE,
            source=f"{IMPORTED}{product}",
            learned=at,
        )
    return Imported(tuple(made.values()), undated, shortened)


def _mem0(data: object) -> Iterator[_Found]:
    for number, each in enumerate(_listed(data, ("results", "memories"))):
        where = f"memory[{number}]"
        if not isinstance(each, Mapping):
            raise _wrong(where, "is no object")
        text = each.get("memory", each.get("text", each.get("data")))
        if not isinstance(text, str):
            raise _wrong(f"{where}.memory", "is no string")
        if each.get("event") == "DELETE" or each.get("is_deleted"):
            continue
        when = _moment(each.get("updated_at") or each.get("created_at"), f"{where}.created_at")
        yield _Found(_key(each), text, when, EvidenceKind.STATED)


def _memories(listed: list[Any]) -> Iterator[_Found]:
    for number, each in enumerate(listed):
        item = {"content": each} if isinstance(each, str) else each
        if not isinstance(item, Mapping):
            raise _wrong(f"memory[{number}]", "is neither a text nor an object")
        text = item.get("content", item.get("memory", item.get("text")))
        if not isinstance(text, str):
            raise _wrong(f"memory[{number}].content", "is no string")
        stamp = item.get("updated_at") or item.get("created_at") or item.get("create_time")
        when = _moment(stamp, f"memory[{number}].created_at")
        yield _Found(_key(item), text, when, EvidenceKind.STATED)


def _conversations(listed: list[Any]) -> Iterator[_Found]:
    for number, talk in enumerate(listed):
        where = f"conversation[{number}]"
        nodes = talk.get("mapping") if isinstance(talk, Mapping) else None
        if not isinstance(nodes, Mapping):
            raise _wrong(f"{where}.mapping", "is no object")
        begun = _moment(talk.get("create_time"), f"{where}.create_time")
        for name, node in nodes.items():
            message = node.get("message") if isinstance(node, Mapping) else None
            if isinstance(message, Mapping):
                yield from _message(f"{where}.{name}", message, begun)


def _message(where: str, message: Mapping[str, Any], begun: datetime | None) -> Iterator[_Found]:
    author, content = message.get("author"), message.get("content")
    if not isinstance(author, Mapping) or not isinstance(content, Mapping):
        return
    key = _key(message)
    when = _moment(message.get("create_time"), f"{where}.create_time") or begun
    if content.get("content_type") == "user_editable_context":
        for name in ("user_profile", "user_instructions"):  # custom instructions, once a text
            text = content.get(name)
            if isinstance(text, str):
                yield _Found("", text, when, EvidenceKind.STATED)
    elif author.get("role") == "user" and content.get("content_type", "text") in _WRITTEN:
        parts = content.get("parts")
        texts = [each for each in parts if isinstance(each, str)] if parts else []
        yield _Found(key, "\n".join(texts), when, EvidenceKind.AUTHORED)


_WRITTEN = ("text", "multimodal_text")


def _listed(data: object, names: tuple[str, ...]) -> list[Any]:
    if isinstance(data, Mapping):
        data = next((data[name] for name in names if name in data), None)
    if not isinstance(data, list):
        raise _wrong("file", f"is neither a list nor an object with {' or '.join(names)}")
    return data


def _key(item: Mapping[str, Any]) -> str:
    name = item.get("id")
    return name if isinstance(name, str) and is_text(name) else ""


def _moment(value: object, where: str) -> datetime | None:
    """Seconds since 1970, or ISO 8601; without an offset it is UTC, as both products write it."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _wrong(where, "is no time") from error
    raise _wrong(where, "is no time")


def _wrong(where: str, fault: str) -> InvalidImportError:
    return InvalidImportError(f"{where}: {fault}", hint="give the product's export", field=where)
