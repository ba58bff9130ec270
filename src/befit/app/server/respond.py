"""HTTP on the bare server interface: requests in, replies out. Knows no route and no person.

Source: ASGI 3.0, HTTP connection scope.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from befit.app.server.problems import (
    BodyTooLargeError,
    MediaTypeError,
    UpstreamRefusedError,
    error_body,
    problem_of,
)
from befit.core.errors import BefitError, InputError, InvalidPromptError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

T = TypeVar("T")

JSON = "application/json"
BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
LONGEST_HEADER = 4096  # bytes of one header that befit writes


class DisconnectedError(Exception):
    """The client went away; nobody is left to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The head of one request.

    Attributes:
        method: In upper case.
        path: Decoded, without a trailing slash.
        headers: Names in lower case; of several of one name the first counts.
        query: Of several of one name the last counts.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer, whole or in pieces."""

    body: bytes | AsyncGenerator[bytes, None]
    status: int = 200
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    code: str = ""  # of the error, where it is one


def request_of(scope: Scope) -> Request:
    """Read the head of a request."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), _decoded(value))
    return Request(
        method=scope["method"],
        path=scope["path"].rstrip("/") or "/",
        headers=headers,
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
    )


def _decoded(value: bytes) -> str:
    """A header's value; people's ids come in UTF-8, whatever the standard says."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def read_json(request: Request, receive: Receive, limit: int) -> dict[str, Any]:
    """The body, which must be a JSON object.

    Raises:
        MediaTypeError: It says that it is something else.
        BodyTooLargeError: It has more than ``limit`` bytes.
        InvalidPromptError: It is not UTF-8, not JSON, nested too deeply, or not an object.
        DisconnectedError: The client went away.
    """
    media_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type != JSON and not media_type.endswith("+json"):
        raise MediaTypeError(
            f"the body is {media_type}, not JSON",
            hint=f"send content-type: {JSON}",
            field="content-type",
        )
    raw = await _read(request, receive, limit)
    try:
        body = msgspec.json.decode(raw)
    except BAD_JSON as error:
        raise InvalidPromptError(
            f"the body is not valid JSON in UTF-8: {error}", hint="check how it is encoded"
        ) from error
    if not isinstance(body, dict):
        raise InputError("the body is not a JSON object", hint='send {"...": ...}')
    return body


async def _read(request: Request, receive: Receive, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    pieces, size, more = [], 0, True
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        more = message.get("more_body", False)
        if size > limit:
            raise _too_large(limit)
    return b"".join(pieces)


def _too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"the body has more than {limit} bytes", hint="send less at once")


def json_reply(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """A whole answer in JSON."""
    return Reply(
        body=msgspec.json.encode(body), status=status, headers=tuple((headers or {}).items())
    )


def error_reply(error: BefitError) -> Reply:
    """An error in OpenAI's shape; what an upstream refused goes on as it came."""
    problem = problem_of(error)
    if isinstance(error, UpstreamRefusedError):
        return Reply(
            body=error.body.encode(), status=error.status, headers=error.headers, code=problem.code
        )
    return Reply(
        body=msgspec.json.encode(error_body(error)), status=problem.status, code=problem.code
    )


async def send_reply(send: Send, reply: Reply, headers: tuple[tuple[str, str], ...]) -> None:
    """Write an answer to the client."""
    raw = [(b"content-type", reply.media_type.encode())]
    for name, value in (*reply.headers, *headers):
        if name == "content-type":
            raw[0] = (b"content-type", value.encode("latin-1"))
        else:
            raw.append(
                (name.encode("latin-1"), value.encode("latin-1", "replace")[:LONGEST_HEADER])
            )
    whole = reply.body if isinstance(reply.body, bytes) else None
    if whole is not None:
        raw.append((b"content-length", str(len(whole)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    if isinstance(reply.body, bytes):
        await send({"type": "http.response.body", "body": reply.body})
        return
    async with aclosing(reply.body) as pieces:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is cancelled when the client goes away.

    Call it when the body has been read: the next message is then the client's leaving.

    Raises:
        DisconnectedError: The client went away first.
    """
    doing = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise DisconnectedError
        return doing.result()
    finally:
        leaving.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
