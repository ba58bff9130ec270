"""A scripted OpenAI-compatible server, run as a program; the model's name says how it behaves.

Prints its port. ``GET /seen`` gives the requests that came, ``POST /forget`` drops them.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

SEEN: list[dict[str, Any]] = []
TEXT = "Take the night train. It is slow, but quiet. You will wake up by the sea."
BAD = "First, a plain sentence. Now the FORBIDDEN part. And more of it."
LIMITS = {"retry-after": "7", "x-ratelimit-remaining-requests": "0"}


def usage() -> dict[str, int]:
    return {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33}


def envelope(kind: str, model: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-up",
        "object": kind,
        "created": 1700000000,
        "model": model,
        "system_fingerprint": "fp_1",
        "vendor": {"region": "eu"},
    }


def answer_for(body: dict[str, Any]) -> str:
    """What is known of the person shows in the answer, as with a real model."""
    if body["model"] == "echo":
        system = [m["content"] for m in body["messages"] if m["role"] == "system"]
        return f"I was told: {' | '.join(system)}" if system else "I was told nothing."
    return BAD if body["model"] in ("bad", "bad-personal") else TEXT


async def complete(request: web.Request) -> web.StreamResponse:
    raw = await request.read()
    body = json.loads(raw)
    SEEN.append({"headers": {k.lower(): v for k, v in request.headers.items()}, "body": body})
    model = body.setdefault("model", "plain")
    if model in ("429", "500"):
        error = {"error": {"message": f"no: {model}", "type": "x", "param": None, "code": model}}
        return web.json_response(error, status=int(model), headers=LIMITS)
    if model == "html":
        return web.Response(text="<h1>hello</h1>", content_type="text/html")
    if model == "hang":
        await asyncio.sleep(60)
    if model == "flaky" and sum(s["body"]["model"] == "flaky" for s in SEEN) == 1:
        assert request.transport is not None
        request.transport.abort()
    return await (streamed(request, body) if body["stream"] else plain(body))


async def plain(body: dict[str, Any]) -> web.Response:
    message: dict[str, Any] = {"role": "assistant", "content": answer_for(body)}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": {"content": []}}
    if body["model"].startswith("tools"):
        message |= {"content": None, "tool_calls": [filled(body["model"])]}
        choice["finish_reason"] = "tool_calls"
    if body["model"] == "thinks-bad":
        message["reasoning_content"] = BAD
    choices = [choice | {"index": i} for i in range(body.get("n") or 1)]
    done = envelope("chat.completion", body["model"]) | {"choices": choices, "usage": usage()}
    return web.json_response(done, headers={"x-ratelimit-remaining-requests": "41"})


def filled(model: str) -> dict[str, Any]:
    where = "FORBIDDEN" if model == "tools-bad" else "Genoa"
    function = {"name": "book", "arguments": json.dumps({"to": where})}
    return {"id": "call_1", "type": "function", "function": function}


async def streamed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    model = body["model"]
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)

    async def send(delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": {"x": BAD}}
        chunk = envelope("chat.completion.chunk", model) | {"choices": [choice]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())

    await send({"role": "assistant", "content": ""})
    if model.startswith("tools"):
        await call_tool(model, send)
    else:
        for i, (name, piece) in enumerate(pieces(body)):
            if i == 7:
                await interrupt(request, response, model)
            await send({name: piece})
            await asyncio.sleep(0.05 if model in ("slow", "endless") else 0)
    await send({}, "tool_calls" if model.startswith("tools") else "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        last = envelope("chat.completion.chunk", model) | {"choices": [], "usage": usage()}
        await response.write(f"data: {json.dumps(last)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


def pieces(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    model = body["model"]
    if model.startswith("thinks"):
        thought = BAD if model == "thinks-bad" else "They ask for a trip. I know one."
        yield from (("reasoning_content", f"{word} ") for word in thought.split(" "))
    first, *rest = answer_for(body).split(" ")
    yield from (("content", word) for word in (first, *(f" {word}" for word in rest)))
    while model == "endless":
        yield "content", " And on. "


async def call_tool(model: str, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    call = filled(model)
    arguments = call["function"]["arguments"]
    opening = {"index": 0, **call, "function": {"name": "book", "arguments": ""}}
    await send({"tool_calls": [opening]})
    for i in range(0, len(arguments), 4):
        piece = {"index": 0, "function": {"arguments": arguments[i : i + 4]}}
        await send({"tool_calls": [piece]})


async def interrupt(request: web.Request, response: web.StreamResponse, model: str) -> None:
    if model == "cut":
        assert request.transport is not None
        request.transport.abort()
        await asyncio.sleep(1)
    if model == "mid-error":
        error = {"error": {"message": "overloaded", "type": "server_error", "code": "busy"}}
        await response.write(f"data: {json.dumps(error)}\n\n".encode())
    if model == "stall":
        await asyncio.sleep(60)


async def track(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        found: web.StreamResponse = await handler(request)
    except (asyncio.CancelledError, ConnectionError):
        SEEN.append({"cancelled": True})
        raise
    return found


async def models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "org/plain", "object": "model"}]})


async def seen(request: web.Request) -> web.Response:
    return web.json_response(SEEN)


async def forget(request: web.Request) -> web.Response:
    SEEN.clear()
    return web.json_response({})


async def main() -> None:
    app = web.Application(middlewares=[web.middleware(track)], client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", models)
    app.router.add_get("/seen", seen)
    app.router.add_post("/forget", forget)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the parent ends
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
