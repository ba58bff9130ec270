"""Evidence to JSON values and back without loss, and interactions to JSON values.

The one description of the wire format that the journal, the export and the import share. A time is
ISO 8601 with its offset. Decoding checks every field and names the one at fault. Interactions are
decoded by the journal alone, from its own rows: an import cannot bring in a response that no guard
has seen.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, get_args

from befit.core.dialogue import Context, Response
from befit.core.errors import InputError, InvalidImportError
from befit.core.feedback import Feedback, Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Origin, Pair

Json = dict[str, Any]

_BY = ("human", "ai")
_ORIGINS: tuple[str, ...] = get_args(Origin)


def check_evidence(evidence: Evidence) -> None:
    """Refuse evidence that makes no sense, before anything is kept.

    Raises:
        InputError: A field is empty, out of range or no valid text; ``field`` names it.
    """
    e = evidence
    _require(bool(e.id), "id", "is empty")
    _require(bool(e.user), "user", "is empty")
    _require(e.at.tzinfo is not None, "at", "has no time zone")
    if e.learned is not None:
        _require(e.learned.tzinfo is not None, "learned", "has no time zone")
        _require(e.at <= e.learned, "at", "is later than when it was learned")
    _require(e.origin in _ORIGINS, "origin", f"is none of {', '.join(_ORIGINS)}")
    _require(math.isfinite(e.noise) and e.noise > 0.0, "noise", "is not a number > 0")
    for name, value in e.values.items():
        inside = bool(name) and -1.0 <= value <= 1.0
        _require(inside, f"values.{name}", "is not in [-1, 1]")
    if e.pair is not None:
        _require(0.0 < e.pair.weight <= 1.0, "pair.weight", "is not in (0, 1]")
    if e.graded is not None:
        _require(0.0 <= e.graded.value <= 1.0, "graded.value", "is not in [0, 1]")
        _require(0.0 < e.graded.weight <= 1.0, "graded.weight", "is not in (0, 1]")
    pair = (e.pair.prompt, e.pair.chosen, e.pair.rejected) if e.pair else ()
    graded = (e.graded.prompt, e.graded.text) if e.graded else ()
    for text in (e.id, e.user, e.text, e.scope, e.source, *e.values, *pair, *graded):
        _require(is_text(text), "text", "is not valid Unicode")


def is_text(text: str) -> bool:
    """Whether a string can be written as UTF-8; one with a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require(holds: bool, field: str, fault: str) -> None:  # noqa: FBT001
    if not holds:
        raise InputError(f"evidence: {field} {fault}", hint=f"correct {field}", field=field)


def dump(values: Json) -> str:
    """JSON values as compact text; readable as UTF-8 wherever the text allows it."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text if is_text(text) else json.dumps(values, separators=(",", ":"))


def evidence_to_json(evidence: Evidence) -> Json:
    """A piece of evidence as JSON values."""
    return {
        **asdict(evidence),
        "kind": evidence.kind.value,
        "at": evidence.at.isoformat(),
        "values": dict(evidence.values),
        "learned": None if evidence.learned is None else evidence.learned.isoformat(),
    }


def evidence_from_json(data: object, where: str = "evidence") -> Evidence:
    """The evidence that `evidence_to_json` wrote.

    Raises:
        InvalidImportError: Something is missing or wrong; ``field`` says where.
    """
    read = Reader(data, where)
    kind = read.one_of("kind", tuple(EvidenceKind))
    pair, graded = read.get("pair", None), read.get("graded", None)
    made = Evidence(
        id=read.text("id"),
        user=UserId(read.text("user")),
        kind=EvidenceKind(kind),
        at=read.time("at"),
        text=read.text("text", ""),
        values={name: read.inner("values").number(name) for name in read.inner("values").names},
        noise=read.number("noise", 0.3),
        pair=None if pair is None else _pair(read.inner("pair")),
        scope=read.text("scope", ""),
        source=read.text("source", ""),
        by=read.one_of("by", _BY, "human"),
        graded=None if graded is None else _graded(read.inner("graded")),
        learned=None if read.get("learned", None) is None else read.time("learned"),
        origin=read.one_of("origin", _ORIGINS, "person"),
    )
    read.only(Evidence.__slots__)
    try:
        check_evidence(made)
    except InputError as error:
        raise read.wrong(error.field, str(error)) from error
    return made


def _pair(read: "Reader") -> Pair:
    read.only(Pair.__slots__)
    return Pair(
        prompt=read.text("prompt", ""),
        chosen=read.text("chosen"),
        rejected=read.text("rejected"),
        weight=read.number("weight", 1.0),
    )


def _graded(read: "Reader") -> Graded:
    read.only(Graded.__slots__)
    return Graded(
        prompt=read.text("prompt", ""),
        text=read.text("text"),
        value=read.number("value"),
        weight=read.number("weight", 1.0),
    )


def turn_to_json(context: Context, response: Response) -> Json:
    """A turn, without the reactions to it, as JSON values."""
    return {
        "context": {**asdict(context), "at": context.at.isoformat()},
        "response": asdict(response),
    }


def feedback_to_json(feedback: Feedback) -> Json:
    """A reaction as JSON values."""
    return {**asdict(feedback), "at": feedback.at.isoformat()}


def interaction_to_json(interaction: Interaction) -> Json:
    """A turn with its reactions, as JSON values."""
    return {
        **turn_to_json(interaction.context, interaction.response),
        "feedback": [feedback_to_json(each) for each in interaction.feedback],
        "compared": [asdict(each) for each in interaction.compared],
    }


_MISSING: Any = object()


class Reader:
    """Reads the fields of one JSON object, and says where a fault is.

    Args:
        data: What should be an object.
        where: Its place in the file, as in ``evidence[3]``.
    """

    def __init__(self, data: object, where: str) -> None:
        self.where = where
        if not isinstance(data, Mapping) or not all(isinstance(name, str) for name in data):
            raise InvalidImportError(f"{where} is no object", hint="write {...}", field=where)
        self._data: Mapping[str, Any] = data

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are there."""
        return tuple(self._data)

    def wrong(self, name: str, fault: str) -> InvalidImportError:
        """The error that names a field."""
        field = f"{self.where}.{name}"
        return InvalidImportError(f"{field}: {fault}", hint=f"correct {field}", field=field)

    def only(self, known: Iterable[str]) -> None:
        """Refuse fields that nothing reads."""
        for name in self._data:
            if name not in known:
                raise self.wrong(name, "nothing reads it")

    def get(self, name: str, default: Any = _MISSING) -> Any:
        """A field's value, whatever it is."""
        value = self._data.get(name, default)
        if value is _MISSING:
            raise self.wrong(name, "is missing")
        return value

    def text(self, name: str, default: Any = _MISSING) -> str:
        """A string."""
        value = self.get(name, default)
        if not isinstance(value, str):
            raise self.wrong(name, "is no string")
        return value

    def number(self, name: str, default: Any = _MISSING) -> float:
        """A finite number."""
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(name, "is no number")
        if not math.isfinite(value):
            raise self.wrong(name, "is not finite")
        return float(value)

    def time(self, name: str) -> datetime:
        """An ISO 8601 time with its offset, as UTC."""
        try:
            value = datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise self.wrong(name, "is no ISO 8601 time") from error
        if value.tzinfo is None:
            raise self.wrong(name, "has no offset")
        return value.astimezone(UTC)

    def one_of(self, name: str, known: tuple[str, ...], default: Any = _MISSING) -> Any:
        """One of a few strings."""
        value = self.get(name, default)
        if value not in known:
            raise self.wrong(name, f"is none of {', '.join(known)}")
        return value

    def inner(self, name: str) -> "Reader":
        """An object within; empty where it is missing."""
        return Reader(self.get(name, {}), f"{self.where}.{name}")
