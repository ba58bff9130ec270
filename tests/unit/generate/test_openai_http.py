import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from befit.core.dialogue import Conditioning, Context, Message
from befit.core.errors import ConfigError, ModelRejectedError, ModelUnavailableError
from befit.core.people import UserId
from befit.core.protocols import Policy, Streams
from befit.generate import openai_http
from befit.generate.openai_http import OpenAIHttpPolicy
from befit.generate.rendering import SHARED
from befit.testing import check_policy

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTEXT = Context(
    user=UserId("ana"), messages=(Message("user", "Hello"),), at=datetime(2026, 1, 1, tzinfo=UTC)
)
NOTHING = Conditioning()


class Server:
    """A real server on loopback. Each request is answered by the next of ``script``; the last
    stays."""

    def __init__(self) -> None:
        self.script: list[Handler] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = threading.Event()
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        return runner

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        handler = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await handler(request)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server = Server()
    yield server
    openai_http._background.close()
    server.close()


def policy(server: Server, **options: Any) -> OpenAIHttpPolicy:
    return OpenAIHttpPolicy(url=server.url, model="m", retry_seconds=0.01, **options)


async def plain(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": f"seed {body['seed']}"},
        "finish_reason": "length",
    }
    return web.json_response({"choices": [choice]})


def status(code: int, headers: dict[str, str] | None = None) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "no"}}, status=code, headers=headers)

    return handle


def text(body: str) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body)

    return handle


def event(content: str | None, finish: str | None = None) -> bytes:
    delta = {} if content is None else {"content": content}
    data = json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    return f"data: {data}\n\n".encode()


def streamed(*chunks: bytes, cut: bool = False) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if cut and request.transport is not None:
            request.transport.close()
        return response

    return handle


def hang(server: Server, *first: bytes) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if first:
            await response.prepare(request)
        for chunk in first:
            await response.write(chunk)
        try:
            await asyncio.sleep(30)
        finally:
            server.hung_up.set()
        return response

    return handle


async def collect(policy: OpenAIHttpPolicy, into: list[str]) -> None:
    async for piece in policy.stream(CONTEXT, NOTHING):
        into.append(piece)


def pieces(policy: OpenAIHttpPolicy) -> list[str]:
    found: list[str] = []
    asyncio.run(collect(policy, found))
    return found


def test_drafts_carry_seeds_finish_and_the_rendered_prompt(server: Server) -> None:
    server.script = [plain]
    drafts = policy(server).generate(CONTEXT, Conditioning(instructions=("Be brief.",)), 3)
    assert [draft.text for draft in drafts] == ["seed 0", "seed 1", "seed 2"]
    assert {draft.finish for draft in drafts} == {"length"}
    sent = server.bodies[0]
    assert sent["model"] == "m"
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["messages"][0]["content"].startswith(SHARED)
    assert "Authorization" not in server.headers[0]


def test_it_is_a_policy_that_streams_and_no_drafts_ask_nothing(server: Server) -> None:
    asked = policy(server)
    assert isinstance(asked, Policy)
    assert isinstance(asked, Streams)
    assert asked.generate(CONTEXT, NOTHING, 0) == ()
    assert server.bodies == []


def test_the_key_comes_from_the_named_variable(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    server.script = [plain]
    policy(server, key_env="MY_KEY").generate(CONTEXT, NOTHING, 1)
    assert server.headers[0]["Authorization"] == "Bearer secret"


def test_many_threads_share_the_pool(server: Server) -> None:
    server.script = [plain]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: policy(server).generate(CONTEXT, NOTHING, 2), range(16)))
    assert {tuple(draft.text for draft in drafts) for drafts in found} == {("seed 0", "seed 1")}


def test_a_stream_gives_its_pieces_however_they_are_cut(server: Server) -> None:
    whole = event("Hel") + event("lo é🙂") + event(None, "stop") + b"data: [DONE]\n\n"
    server.script = [streamed(*[whole[i : i + 7] for i in range(0, len(whole), 7)])]
    assert pieces(policy(server)) == ["Hel", "lo é🙂"]
    assert server.bodies[0]["stream"] is True


def test_a_stream_may_end_with_a_finish_reason_alone(server: Server) -> None:
    usage = b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'
    server.script = [streamed(b": ping\n\n", event("Hi"), event(None, "stop"), usage)]
    assert pieces(policy(server)) == ["Hi"]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_busy_then_well_is_tried_again(server: Server, code: int) -> None:
    server.script = [status(code, {"Retry-After": "0"}), plain]
    assert policy(server).generate(CONTEXT, NOTHING, 1)[0].text == "seed 0"
    server.script = [status(code), streamed(event("Hi"), b"data: [DONE]\n\n")]
    assert pieces(policy(server)) == ["Hi"]
    assert len(server.bodies) == 4


def test_after_the_last_try_it_is_unavailable(server: Server) -> None:
    server.script = [status(500)]
    with pytest.raises(ModelUnavailableError, match="500"):
        policy(server).generate(CONTEXT, NOTHING, 1)
    assert len(server.bodies) == 3


def test_a_refused_request_is_not_tried_again(server: Server) -> None:
    server.script = [status(400)]
    with pytest.raises(ModelRejectedError) as caught:
        policy(server).generate(CONTEXT, NOTHING, 1)
    assert caught.value.status == 400
    assert json.loads(caught.value.body) == {"error": {"message": "no"}}
    assert len(server.bodies) == 1


def test_it_keeps_the_promises_of_a_policy(server: Server) -> None:
    async def either(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        handler = streamed(event("Hello"), event(None, "stop")) if body.get("stream") else plain
        return await handler(request)

    server.script = [either]
    check_policy(policy(server))
    assert len(server.bodies) > 5


def test_one_refused_draft_of_many_is_one_clear_error(server: Server) -> None:
    server.script = [plain, status(404)]
    with pytest.raises(ModelRejectedError):
        policy(server).generate(CONTEXT, NOTHING, 4)


def test_a_hanging_server_is_given_up_once(server: Server) -> None:
    server.script = [hang(server)]
    with pytest.raises(ModelUnavailableError, match="silent"):
        policy(server, read_seconds=0.2).generate(CONTEXT, NOTHING, 1)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "body", ["<html>", "[]", "{}", '{"choices": []}', '{"choices": [{"message": null}]}']
)
def test_an_answer_in_another_tongue_is_unavailable(server: Server, body: str) -> None:
    server.script = [text(body)]
    with pytest.raises(ModelUnavailableError, match="something else"):
        policy(server).generate(CONTEXT, NOTHING, 1)


@pytest.mark.parametrize(
    "handler",
    [
        streamed(event("Hel"), event("lo"), cut=True),
        streamed(event("Hel"), event("lo")),
        streamed(event("Hel"), event("lo"), b"data: {broken\n\n"),
        streamed(event("Hel"), event("lo"), b'data: {"error": {"message": "gone"}}\n\n'),
    ],
    ids=["cut", "no end", "bad json", "error event"],
)
def test_a_stream_that_breaks_raises_after_its_pieces(server: Server, handler: Handler) -> None:
    server.script = [handler]
    found: list[str] = []
    with pytest.raises(ModelUnavailableError):
        asyncio.run(collect(policy(server), found))
    assert "".join(found) == "Hello"
    assert len(server.bodies) == 1


def test_a_stream_that_falls_silent_raises_after_its_pieces(server: Server) -> None:
    server.script = [hang(server, event("Hel"))]
    found: list[str] = []
    with pytest.raises(ModelUnavailableError, match="silent"):
        asyncio.run(collect(policy(server, read_seconds=0.2), found))
    assert found == ["Hel"]


def test_a_consumer_that_leaves_ends_the_request(server: Server) -> None:
    server.script = [hang(server, event("Hel"))]

    async def leave() -> None:
        stream = policy(server).stream(CONTEXT, NOTHING)
        assert await anext(aiter(stream)) == "Hel"
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(leave())
    assert server.hung_up.wait(5)


def test_nobody_there_is_unavailable(server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    absent = OpenAIHttpPolicy(url=f"http://127.0.0.1:{port}/v1", model="m", retry_seconds=0.01)
    with pytest.raises(ModelUnavailableError, match="cannot be reached"):
        absent.generate(CONTEXT, NOTHING, 1)
    with pytest.raises(ModelUnavailableError, match="cannot be reached"):
        pieces(absent)


@pytest.mark.parametrize("url", ["ftp://x/v1", "nonsense", "http://"])
def test_a_wrong_address_names_the_option(server: Server, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        OpenAIHttpPolicy(url=url, model="m").generate(CONTEXT, NOTHING, 1)
    assert caught.value.field == "url"


def test_closing_lets_it_start_again(server: Server) -> None:
    server.script = [plain]
    policy(server).generate(CONTEXT, NOTHING, 1)
    openai_http._background.close()
    openai_http._background.close()
    assert policy(server).generate(CONTEXT, NOTHING, 1)[0].text == "seed 0"
