"""Any server that speaks OpenAI's chat protocol: vLLM, llama.cpp, a hosted one.

Plain answers run on one private event-loop thread with pooled connections, streams on the caller's
own loop. A request is tried again only before its first byte came: when the server could not be
reached, was busy, or failed. It knows nothing about what the model says.
"""

import asyncio
import atexit
import json
import os
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from befit.core.dialogue import Conditioning, Context, Draft, Finish
from befit.core.errors import ConfigError, ModelRejectedError, ModelUnavailableError
from befit.generate.rendering import Place, render

T = TypeVar("T")

_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
}
_UNREACHED = (  # no byte of an answer came
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerDisconnectedError,
)
_BODY_KEPT = 2000  # characters of an error's body
_LONGEST_WAIT = 5.0  # seconds between two tries, whatever the server asks for
_jitter = random.SystemRandom()  # spreads tries apart; never touches a result


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIHttpPolicy:
    """A model behind ``{url}/chat/completions``. Draft i is asked for with seed ``seed + i``.

    Attributes:
        url: The base, up to and with ``/v1``.
        model: The server's name of the model.
        key_env: The environment variable that holds the key; without a value none is sent.
        max_new_tokens: The longest reply, in tokens.
        temperature: As the server understands it.
        top_p: As the server understands it.
        connect_seconds: The longest wait for a connection.
        read_seconds: The longest silence while an answer comes.
        retries: How often a request that brought no byte is tried again.
        retry_seconds: The first wait between two tries; it doubles.
        place: Where prompts put what is known of the person; see `rendering.Place`.
    """

    url: str
    model: str
    key_env: str = "OPENAI_API_KEY"
    max_new_tokens: int = 512
    temperature: float = 0.7
    top_p: float = 1.0
    connect_seconds: float = 5.0
    read_seconds: float = 60.0
    retries: int = 2
    retry_seconds: float = 0.2
    place: Place = "system"

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        """``n`` drafts, unordered, asked for at once.

        Raises:
            ModelUnavailableError: The server cannot be reached, is busy, too slow, or broken.
            ModelRejectedError: It refused the request; carries the status and the body.
            ConfigError: The address is not an http address.
        """
        if n == 0:
            return ()

        async def work(session: aiohttp.ClientSession) -> list[Draft]:
            asked = [self._draft(session, context, conditioning, row) for row in range(n)]
            return await _all(asked)

        return tuple(_background.run(work))

    async def stream(self, context: Context, conditioning: Conditioning) -> AsyncIterator[str]:
        """The text of draft 0, piece by piece.

        Raises:
            ModelUnavailableError: As in `generate`; also when the answer breaks off, after the
                pieces that came.
            ModelRejectedError: The server refused the request.
            ConfigError: The address is not an http address.
        """
        body = self._body(context, conditioning, row=0) | {"stream": True}
        async with _session() as session, self._answer(session, body) as response:
            ended = False
            async for line in _lines(response):
                if not line.startswith(b"data:"):
                    continue
                data = line[5:].strip()
                if data == b"[DONE]":
                    return
                piece, finish = _piece(data)
                ended = ended or finish
                if piece:
                    yield piece
            if not ended:
                raise _unavailable("the model's answer broke off")

    async def _draft(
        self,
        session: aiohttp.ClientSession,
        context: Context,
        conditioning: Conditioning,
        row: int,
    ) -> Draft:
        async with self._answer(session, self._body(context, conditioning, row)) as response:
            return self._read(await response.read())

    def _body(self, context: Context, conditioning: Conditioning, row: int) -> dict[str, Any]:
        messages = render(context.messages, conditioning, place=self.place)
        return {
            "model": self.model,
            "messages": [{"role": turn.role, "content": turn.text} for turn in messages],
            "max_tokens": min(context.max_tokens or self.max_new_tokens, self.max_new_tokens),
            "temperature": (
                self.temperature if context.temperature is None else context.temperature
            ),
            "top_p": self.top_p,
            "seed": context.seed + row,
        }

    def _read(self, data: bytes) -> Draft:
        try:
            choice = json.loads(data)["choices"][0]
            text = choice["message"].get("content") or ""
            finish = _FINISHES.get(choice.get("finish_reason") or "stop", "stop")
            return Draft(text=str(text), policy=f"openai_http:{self.model}", finish=finish)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise _unavailable("the model's server answered something else") from error

    @asynccontextmanager
    async def _answer(
        self, session: aiohttp.ClientSession, body: dict[str, Any]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A good answer's response, its body unread; errors of reading it are ours as well."""
        try:
            response = await self._asked(session, body)
            async with response:
                yield response
        except _UNREACHED as error:
            raise _unavailable(f"the model's server cannot be reached: {error}") from error
        except TimeoutError as error:
            waited = f"{self.read_seconds:g} s"
            raise _unavailable(f"the model's server was silent for {waited}") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise ConfigError(
                f"{self.url!r} is not an http address",
                hint="give the base of the server, as http://127.0.0.1:8000/v1",
                field="url",
            ) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _unavailable(f"the model's server failed: {error}") from error

    async def _asked(
        self, session: aiohttp.ClientSession, body: dict[str, Any]
    ) -> aiohttp.ClientResponse:
        """The first response worth reading, after as many tries as allowed."""
        wait = self.retry_seconds
        for left in range(self.retries, -1, -1):
            try:
                response = await self._sent(session, body)
            except _UNREACHED:
                if not left:
                    raise
            else:
                if response.status < 400:
                    return response
                asked = _retry_after(response)
                await self._refuse(response, final=not left)
                wait = max(wait, asked)
            await asyncio.sleep(min(wait, _LONGEST_WAIT) * _jitter.uniform(0.5, 1.0))
            wait *= 2
        raise _unavailable("the model's server did not answer")

    async def _sent(
        self, session: aiohttp.ClientSession, body: dict[str, Any]
    ) -> aiohttp.ClientResponse:
        key = os.environ.get(self.key_env, "")
        return await session.post(
            f"{self.url.rstrip('/')}/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self.connect_seconds, sock_read=self.read_seconds
            ),
        )

    async def _refuse(self, response: aiohttp.ClientResponse, *, final: bool) -> None:
        """Raise what an error status means, unless it is worth another try."""
        async with response:
            text = (await response.text(errors="replace"))[:_BODY_KEPT]
        if response.status == 429 or response.status >= 500:
            if final:
                raise _unavailable(f"the model's server answered {response.status}: {text[:200]}")
            return
        raise ModelRejectedError(
            f"the model's server refused the request with status {response.status}",
            hint=f"check the model's name, the key in {self.key_env} and the request",
            status=response.status,
            body=text,
        )


def _piece(data: bytes) -> tuple[str, bool]:
    """The text of one event, and whether it ends the answer."""
    try:
        event = json.loads(data)
        if "error" in event:
            raise _unavailable(f"the model's server failed: {str(event['error'])[:200]}")
        if not event["choices"]:  # the closing count of tokens
            return "", False
        choice = event["choices"][0]
        return str(choice["delta"].get("content") or ""), bool(choice.get("finish_reason"))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unavailable("the model's server streamed something else") from error


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines of a body, however long each is."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


def _retry_after(response: aiohttp.ClientResponse) -> float:
    try:
        return max(0.0, float(response.headers.get("Retry-After", "0")))
    except ValueError:  # a date; the usual wait will do
        return 0.0


def _unavailable(what: str) -> ModelUnavailableError:
    return ModelUnavailableError(what, hint="check that the server runs, or try again later")


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    )


async def _all(asked: Sequence[Awaitable[T]]) -> list[T]:
    """All results; the first failure cancels the rest and is raised as itself."""
    tasks = [asyncio.ensure_future(each) for each in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Background:
    """One event loop in a daemon thread with one pool of connections, started on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: aiohttp.ClientSession | None = None
        self._process = 0

    def run(self, work: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, T]]) -> T:
        """Do the work there and wait for it."""

        async def job() -> T:
            if self._client is None:
                self._client = _session()
            return await work(self._client)

        return asyncio.run_coroutine_threadsafe(job(), self._started()).result()

    def close(self) -> None:
        """Close the connections and end the thread; a later `run` starts anew."""
        with self._lock:
            loop, self._loop = self._loop, None
            client, self._client = self._client, None
        if loop is None or self._process != os.getpid():
            return
        if client is not None:
            asyncio.run_coroutine_threadsafe(client.close(), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            # a forked child has the loop but not its thread
            if self._loop is None or self._process != os.getpid():
                self._client, self._process = None, os.getpid()
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_serve, args=(self._loop,), name="befit-openai-http", daemon=True
                ).start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


_background = _Background()
atexit.register(_background.close)
