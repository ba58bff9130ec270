"""One chat request, read: the conversation, whom it is for, what the client chose for this turn.

What is befit's own in the request is taken out here; every other field goes on unchanged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from befit.core.dialogue import Context, Message
from befit.core.errors import InputError, InvalidPromptError
from befit.core.people import UserId
from befit.cycle import LONGEST_PROMPT

MOST_CHOICES = 16
LONGEST_SCOPE = 128  # characters
CONTROLS = ("personalize", "scope", "incognito")
_FLAGS = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
_ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a chat request asks for.

    Attributes:
        body: To forward, without anything of befit's own.
        context: The conversation; nobody's and incognito where no person is named.
        personalize: Whether memory may be used.
        stream: Whether the answer comes in pieces.
    """

    body: dict[str, Any]
    context: Context
    personalize: bool
    stream: bool


def read_turn(
    body: Mapping[str, Any], headers: Mapping[str, str], user: UserId | None, at: datetime
) -> Turn:
    """Read a chat request.

    Raises:
        InvalidPromptError: The conversation is empty, too long, or not in the right shape.
        InputError: Another field makes no sense; ``field`` names it.
    """
    forwarded, controls = _take_controls(body, headers)
    context = Context(
        user=user or UserId(""),
        messages=_messages(body.get("messages")),
        at=at,
        scope=read_scope(controls.get("scope", "")),
        incognito=user is None or _flag(controls, "incognito", default=False),
        seed=_integer(body, "seed", lowest=-(2**63)) or int(at.timestamp() * 1e6) % 2**31,
        max_tokens=_integer(body, "max_completion_tokens", lowest=1)
        or _integer(body, "max_tokens", lowest=1),
        temperature=_temperature(body),
    )
    _check_prompt(context.prompt)
    modalities = body.get("modalities")
    if isinstance(modalities, list) and "audio" in modalities:
        raise InputError(
            "spoken answers cannot be checked, so they are not given",
            hint="ask for text",
            field="modalities",
        )
    count = _integer(body, "n", lowest=1)
    if count and count > MOST_CHOICES:
        raise InputError(f"n is at most {MOST_CHOICES}", hint="ask again for more", field="n")
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise InputError("stream is true or false", hint="send a boolean", field="stream")
    return Turn(
        body=forwarded,
        context=context,
        personalize=user is not None and _flag(controls, "personalize", default=True),
        stream=stream,
    )


def beside_text(body: Mapping[str, Any]) -> dict[int, str]:
    """By the place of a message, what it says beside its text: the arguments of tool calls."""
    found = {}
    for place, message in enumerate(body["messages"]):
        calls = message.get("tool_calls") or message.get("function_call")
        if calls:
            found[place] = json.dumps(calls, ensure_ascii=False)
    return found


def left_of(turn: Turn, context: Context, texts: Sequence[str | None], instead: str) -> Turn:
    """The turn with what is left of its messages; other fields of them stay as they are.

    Args:
        turn: As it came.
        context: The conversation that is left.
        texts: What is left of the text of each message; None where the message goes.
        instead: What stands where nothing is left of the newest message.
    """
    messages = []
    for raw, message, text in zip(turn.body["messages"], turn.context.messages, texts, strict=True):
        if text is None:
            continue
        if text == message.text:
            messages.append(raw)
            continue
        content: Any = text or instead
        if isinstance(raw.get("content"), list):
            others = [part for part in raw["content"] if part.get("type") != "text"]
            content = [{"type": "text", "text": content}, *others]
        messages.append({**raw, "content": content})
    return replace(turn, body=turn.body | {"messages": messages}, context=context)


def read_scope(value: object) -> str:
    """A scope as a person names it: "work", "home"; "" is everywhere.

    Raises:
        InputError: It is not a short printable string.
    """
    if not isinstance(value, str) or len(value) > LONGEST_SCOPE or not value.isprintable():
        raise InputError(
            f"a scope is at most {LONGEST_SCOPE} printable characters",
            hint='send "work", "home" or nothing',
            field="scope",
        )
    return value.strip()


def read_flag(value: object, name: str) -> bool:
    """On or off, as headers, queries and JSON spell it.

    Raises:
        InputError: It is neither.
    """
    flag = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise InputError(f"{name} is on or off", hint=f"send {name}: off", field=name)
    return flag


def _take_controls(
    body: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, object]]:
    """The body without befit's own fields, and those fields; a header wins over the body."""
    forwarded = {name: value for name, value in body.items() if name != "befit"}
    controls = _table(body.get("befit"), "befit")
    metadata = body.get("metadata")
    if isinstance(metadata, Mapping):
        controls |= _table(metadata.get("befit"), "metadata.befit")
        mine = {f"befit_{name}": name for name in CONTROLS}
        controls |= {mine[name]: value for name, value in metadata.items() if name in mine}
        rest = {k: v for k, v in metadata.items() if k != "befit" and k not in mine}
        if rest or not metadata:
            forwarded["metadata"] = rest
        else:
            del forwarded["metadata"]
    for name in CONTROLS:
        if f"x-befit-{name}" in headers:
            controls[name] = headers[f"x-befit-{name}"]
    return forwarded, controls


def _table(value: object, place: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not set(value) <= set(CONTROLS):
        raise InputError(
            f"{place} is an object of {', '.join(CONTROLS)}",
            hint="remove what is not among them",
            field=place,
        )
    return dict(value)


def _flag(controls: Mapping[str, object], name: str, *, default: bool) -> bool:
    return read_flag(controls.get(name, default), name)


def _integer(body: Mapping[str, Any], name: str, *, lowest: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise InputError(f"{name} makes no sense", hint="send a whole number", field=name)
    return value


def _temperature(body: Mapping[str, Any]) -> float | None:
    value = body.get("temperature")
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 2:
        raise InputError(
            "temperature is a number from 0 to 2", hint="send 0.7, say", field="temperature"
        )
    return float(value)


def _messages(raw: object) -> tuple[Message, ...]:
    if not isinstance(raw, list) or not raw:
        raise InvalidPromptError(
            "there are no messages", hint="send at least one", field="messages"
        )
    return tuple(_message(one, f"messages[{i}]") for i, one in enumerate(raw))


def _message(raw: object, place: str) -> Message:
    raw = raw if isinstance(raw, Mapping) else {}
    role = _ROLES.get(str(raw.get("role")))
    if role is None:
        raise InvalidPromptError(
            f"{place} has no known role",
            hint=f"one of {', '.join(_ROLES)}",
            field=f"{place}.role",
        )
    return Message(role, _text(raw.get("content"), f"{place}.content"))


def _text(content: object, place: str) -> str:
    """The words of a message; what is no text stands as ``[image_url]``."""
    if content is None:
        return ""  # an assistant turn that called tools
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence) or not all(isinstance(p, Mapping) for p in content):
        raise InvalidPromptError(
            f"{place} is neither text nor a list of parts", hint="send a string", field=place
        )
    return "\n".join(
        part["text"] if isinstance(part.get("text"), str) else f"[{part.get('type', 'part')}]"
        for part in content
    )


def _check_prompt(prompt: str) -> None:
    """The cycle checks a personal turn itself; a generic one meets the same rule here."""
    if not prompt.strip():
        raise InvalidPromptError("the prompt is empty", hint="say something", field="messages")
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidPromptError(
            f"the prompt has {len(prompt)} characters, more than {LONGEST_PROMPT}",
            hint="shorten it, or split it over several turns",
            field="messages",
        )
