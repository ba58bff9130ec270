"""The language model behind the server: any OpenAI-compatible one over HTTP, or a policy here.

An upstream proposes; what it says goes through the boundary before anyone reads it. Knows no
person and stores nothing. A call over HTTP is tried again only before its first byte.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import aiohttp
import msgspec

from befit.app.server.problems import UpstreamRefusedError
from befit.app.server.respond import BAD_JSON
from befit.app.server.sse import DONE, Events
from befit.core.dialogue import Conditioning, Context, Draft, Finish
from befit.core.errors import InputError, ModelError, ModelUnavailableError
from befit.core.protocols import Policy, Streams

Chunk = dict[str, Any]

PASSED = ("content-type", "retry-after")  # of an upstream's answer, and every x-ratelimit-*
CONNECT_S = 5.0
PAUSE_S = 0.2  # before a second try
FINISHES: dict[object, Finish] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to an upstream.

    Attributes:
        body: As the client sent it, with the person's block in the messages and without anything
            that is befit's own.
        context: The conversation, for a policy.
        conditioning: The person, for a policy.
        headers: What goes on of the client's headers; never its key.
    """

    body: Mapping[str, Any]
    context: Context
    conditioning: Conditioning
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer, not yet admitted.

    Attributes:
        body: In OpenAI's shape.
        drafts: For each choice of the body what may be said, best first.
        headers: What goes on of the upstream's headers.
    """

    body: Chunk
    drafts: tuple[tuple[Draft, ...], ...]
    headers: tuple[tuple[str, str], ...] = ()


class Upstream(Protocol):
    """A language model in OpenAI's shape.

    ``complete`` and the first step of ``stream`` raise `ModelError`; ``stream`` ends after the
    chunk that is the last and raises where it was cut.
    """

    async def complete(self, call: Call) -> Completion: ...
    def stream(self, call: Call) -> AsyncGenerator[Chunk, None]: ...
    async def models(self) -> Sequence[Mapping[str, Any]]: ...
    async def ready(self) -> bool: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUpstream:
    """Any OpenAI-compatible server.

    Attributes:
        url: Base URL, as ``http://127.0.0.1:8000/v1``.
        model: Replaces the model that the client named; "" leaves it.
        key: Bearer key of the server; "" sends none.
        timeout_s: Longest silence of the server, seconds, > 0.
        retries: How often a call is tried again whose first byte never came, >= 0.
    """

    url: str
    model: str = ""
    key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    retries: int = 1
    _sessions: list[aiohttp.ClientSession] = field(
        init=False, repr=False, compare=False, default_factory=list
    )

    async def complete(self, call: Call) -> Completion:
        answer = await self._ask(call, stream=False)
        try:
            async with answer:
                body = _decoded(await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from error
        choices = body.get("choices")
        if not isinstance(choices, list) or not all(isinstance(c, dict) for c in choices):
            raise ModelError("the upstream's answer has no choices", hint="check upstream.url")
        return Completion(
            body=body, drafts=tuple((_draft(c),) for c in choices), headers=_passed(answer)
        )

    async def stream(self, call: Call) -> AsyncGenerator[Chunk, None]:
        answer = await self._ask(call, stream=True)
        events, finished = Events(), False
        async with answer:
            try:
                async for piece in answer.content.iter_any():
                    for data in events.feed(piece):
                        if data == DONE:
                            return
                        chunk = _decoded(data)
                        if "error" in chunk:
                            raise _refused(502, data.decode(), ())
                        finished = finished or _finishes(chunk)
                        yield chunk
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise _unavailable(error) from error
        if not finished:
            raise ModelUnavailableError(
                "the upstream was cut in the middle of its answer", hint="ask again"
            )

    async def models(self) -> Sequence[Mapping[str, Any]]:
        if self.model:
            return ({"id": self.model, "object": "model", "created": 0, "owned_by": "upstream"},)
        try:
            async with self._session().get(f"{self._base}/models") as answer:
                if answer.status != 200:
                    raise _refused(answer.status, await answer.text(), _passed(answer))
                listed = _decoded(await answer.read()).get("data")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from error
        return [m for m in listed if isinstance(m, dict)] if isinstance(listed, list) else ()

    async def ready(self) -> bool:
        """Whether the server answers at all; what it answers does not matter."""
        limit = aiohttp.ClientTimeout(total=CONNECT_S)
        try:
            async with self._session().get(f"{self._base}/models", timeout=limit):
                return True
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def close(self) -> None:
        while self._sessions:
            await self._sessions.pop().close()

    @property
    def _base(self) -> str:
        return self.url.rstrip("/")

    def _session(self) -> aiohttp.ClientSession:
        if not self._sessions:  # made here and not before: it belongs to the running loop
            self._sessions.append(
                aiohttp.ClientSession(
                    headers={"authorization": f"Bearer {self.key}"} if self.key else {},
                    timeout=aiohttp.ClientTimeout(
                        total=None, sock_connect=CONNECT_S, sock_read=self.timeout_s
                    ),
                    connector=aiohttp.TCPConnector(limit=0),
                )
            )
        return self._sessions[0]

    async def _ask(self, call: Call, *, stream: bool) -> aiohttp.ClientResponse:
        body = {**call.body, "stream": stream}  # said always: some servers stream by default
        if self.model:
            body["model"] = self.model
        data = msgspec.json.encode(body)
        headers = {**call.headers, "content-type": "application/json"}
        for left in range(self.retries, -1, -1):
            try:
                answer = await self._session().post(
                    f"{self._base}/chat/completions", data=data, headers=headers
                )
            except aiohttp.ClientConnectionError as error:
                # A silent server has likely begun to work: a second call would be a second job.
                if not left or isinstance(error, aiohttp.SocketTimeoutError):
                    raise _unavailable(error) from error
                await asyncio.sleep(PAUSE_S)
                continue
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _unavailable(error) from error
            if answer.status >= 300:
                async with answer:
                    text = await answer.text(errors="replace")
                raise _refused(answer.status, text, _passed(answer))
            return answer
        raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUpstream:
    """A policy in this process; of a request's sampling options it heeds length and temperature.

    Attributes:
        policy: Proposes drafts, best first.
        streamer: Streams; by default the policy itself where it can.
        model: The name it answers under.
        candidates: Drafts to choose among, >= 1.
        threads: Answers made at once, >= 1.
    """

    policy: Policy
    streamer: Streams | None = None
    model: str = "befit"
    candidates: int = 4
    threads: int = 2
    _pools: list[ThreadPoolExecutor] = field(
        init=False, repr=False, compare=False, default_factory=list
    )

    async def complete(self, call: Call) -> Completion:
        wanted = max(1, call.body.get("n") or 1)
        drafts = await self._generate(call, max(wanted, self.candidates))
        choices = [{"index": i, "message": {"role": "assistant"}} for i in range(wanted)]
        body = {**self._envelope(call, "chat.completion"), "choices": choices}
        # The i-th choice is the i-th best; where that is refused, the next one after it.
        return Completion(body=body, drafts=tuple(tuple(drafts[i:]) for i in range(wanted)))

    async def stream(self, call: Call) -> AsyncGenerator[Chunk, None]:
        if (call.body.get("n") or 1) > 1:
            raise InputError("this model streams one answer at a time", hint="send n=1", field="n")
        envelope = self._envelope(call, "chat.completion.chunk")

        def chunk(delta: Mapping[str, str], finish: str | None = None) -> Chunk:
            return {**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        streamer = self.streamer or (self.policy if isinstance(self.policy, Streams) else None)
        finish = "stop"
        if streamer is None:
            best, *_ = await self._generate(call, self.candidates)
            finish = best.finish
            yield chunk({"content": best.text})
        else:
            pieces = streamer.stream(call.context, call.conditioning)
            try:
                async for piece in pieces:
                    yield chunk({"content": piece})
            finally:
                if isinstance(pieces, AsyncGenerator):  # the client left: stop the model too
                    await pieces.aclose()
        yield chunk({}, finish)

    async def models(self) -> Sequence[Mapping[str, Any]]:
        return ({"id": self.model, "object": "model", "created": 0, "owned_by": "befit"},)

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        while self._pools:
            self._pools.pop().shutdown(wait=False, cancel_futures=True)

    async def _generate(self, call: Call, n: int) -> Sequence[Draft]:
        if not self._pools:
            self._pools.append(ThreadPoolExecutor(self.threads, "befit-generate"))
        drafts = await asyncio.get_running_loop().run_in_executor(
            self._pools[0], self.policy.generate, call.context, call.conditioning, n
        )
        if not drafts:
            raise ModelUnavailableError("the model proposed nothing", hint="ask again")
        return drafts

    def _envelope(self, call: Call, kind: str) -> Chunk:
        return {
            "id": f"chatcmpl-{uuid4().hex}",
            "object": kind,
            "created": int(call.context.at.timestamp()),
            "model": self.model,
        }


def _draft(choice: Mapping[str, Any]) -> Draft:
    message = choice.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    return Draft(
        text=content if isinstance(content, str) else "",
        policy="upstream",
        finish=FINISHES.get(choice.get("finish_reason"), "stop"),
    )


def _finishes(chunk: Chunk) -> bool:
    choices = chunk.get("choices")
    return isinstance(choices, list) and any(
        isinstance(c, dict) and c.get("finish_reason") for c in choices
    )


def _decoded(raw: bytes) -> Chunk:
    try:
        body = msgspec.json.decode(raw)
    except BAD_JSON as error:
        raise ModelError(
            f"the upstream sent no valid JSON: {error}", hint="check upstream.url"
        ) from error
    if not isinstance(body, dict):
        raise ModelError("the upstream sent no JSON object", hint="check upstream.url")
    return body


def _passed(answer: aiohttp.ClientResponse) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.lower(), value)
        for name, value in answer.headers.items()
        if name.lower() in PASSED or name.lower().startswith("x-ratelimit-")
    )


def _refused(status: int, body: str, headers: tuple[tuple[str, str], ...]) -> UpstreamRefusedError:
    error = UpstreamRefusedError(f"the upstream answered {status}", status=status, body=body)
    error.headers = headers
    return error


def _unavailable(error: Exception) -> ModelUnavailableError:
    what = "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
    return ModelUnavailableError(f"the upstream {what}", hint="ask again later")
