"""The server: one bare ASGI application for every route, made by a factory.

No framework and no module state. Routes answer with and without ``/v1``. `serve` runs it on
uvicorn; how a request is answered stands in ``chat``, ``me`` and ``listing``.
"""

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

import uvicorn

from befit.app.asking import Asking
from befit.app.inferring import Reads
from befit.app.listening import Listener
from befit.app.server.ask import Ask
from befit.app.server.chat import Chat
from befit.app.server.identity import authenticate, person_of
from befit.app.server.keys import KeyStore
from befit.app.server.listing import Listing
from befit.app.server.me import Me
from befit.app.server.me_asking import Questions
from befit.app.server.me_rights import Rights
from befit.app.server.metrics import Metrics
from befit.app.server.offload import Offload
from befit.app.server.options import ServerOptions
from befit.app.server.problems import MethodNotAllowedError, NotFoundError
from befit.app.server.respond import (
    DisconnectedError,
    Receive,
    Reply,
    Request,
    Scope,
    Send,
    error_reply,
    read_json,
    request_of,
    send_reply,
    while_connected,
)
from befit.app.server.upstream import Upstream
from befit.core.errors import BefitError, ConfigError, PortInUseError
from befit.cycle import Cycle

Handler = Callable[[Ask], Awaitable[Reply]]
Clock = Callable[[], datetime]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST_REQUEST_ID = 128  # characters
logger = logging.getLogger("befit.server")


def create_app(
    cycle: Cycle,
    options: ServerOptions,
    keys: KeyStore,
    upstream: Upstream,
    *,
    listener: Listener | None = None,
    reads: Reads | None = None,
    asking: Asking | None = None,
    clock: Clock = lambda: datetime.now(UTC),
) -> App:
    """The server as an ASGI application.

    Args:
        cycle: What it serves.
        options: What the deployment chose.
        keys: Who may ask.
        upstream: The language model.
        listener: Hears what people say in their turns; None reads by the grammar.
        reads: What reads the texts that people give as their own; None reads what they state.
        asking: Finds what to ask people; None asks nothing.
        clock: The time, UTC.
    """
    metrics, offload = Metrics(), Offload(cycle, options, listener)
    chat = Chat(offload=offload, upstream=upstream, metrics=metrics)
    me = Me(offload=offload, keys=keys, reads=reads)
    rights, questions = Rights(offload=offload), Questions(offload=offload, asking=asking)
    listing = Listing(offload=offload, upstream=upstream, metrics=metrics, model=options.model)
    routes: dict[str, Mapping[str, Handler]] = {
        "/chat/completions": {"POST": chat.complete},
        "/models": {"GET": listing.models},
        "/models/": {"GET": listing.model_named},
        "/feedback": {"POST": me.feedback},
        "/me": {"DELETE": me.forget},
        "/me/profile": {"GET": me.profile},
        "/me/evidence": {"GET": me.evidence, "POST": me.remember},
        "/me/evidence/": {"DELETE": me.forget_evidence},
        "/me/next-question": {"GET": questions.next_question, "POST": questions.answer},
        "/me/export": {"GET": me.export},
        "/me/import": {"POST": rights.take_over},
        "/me/beliefs": {"GET": me.profile, "POST": rights.judge},
        "/me/consents": {"GET": rights.consents, "POST": rights.consent},
        "/me/held": {"GET": rights.held, "POST": rights.settle},
        "/me/forget": {"POST": rights.forget},
        "/health": {"GET": listing.alive},
        "/health/liveness": {"GET": listing.alive},
        "/health/readiness": {"GET": listing.ready},
        "/metrics": {"GET": listing.numbers},
    }
    return _App(
        routes=routes,
        open_routes=frozenset(r for r in routes if r.startswith(("/health", "/metrics"))),
        options=options,
        keys=keys,
        offload=offload,
        upstream=upstream,
        metrics=metrics,
        clock=clock,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        PortInUseError: Somebody else listens there.
        ConfigError: The address is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would allow a second server on one port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} of {host} is in use", hint="choose another: --port 0", field="port"
            ) from error
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="choose an address of this machine, and a port above 1023",
            field="server.host",
        ) from error
    return listening


def runner(app: App) -> uvicorn.Server:
    """A server for ``app``, to be run on a socket of `listen`; ``should_exit`` stops it."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def serve(
    app: App, host: str, port: int, *, started: Callable[[str, int], None] | None = None
) -> None:
    """Serve until interrupted.

    Args:
        app: What `create_app` made.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        started: Told the address and the port that are listened on, before the first request.

    Raises:
        PortInUseError: Somebody else listens there.
    """
    with listen(host, port) as listening:
        if started is not None:
            started(*listening.getsockname()[:2])
        with suppress(KeyboardInterrupt):  # by then every open answer has been ended
            runner(app).run(sockets=[listening])


@dataclass(frozen=True, slots=True, kw_only=True)
class _App:
    routes: Mapping[str, Mapping[str, Handler]]
    open_routes: frozenset[str]
    options: ServerOptions
    keys: KeyStore
    offload: Offload
    upstream: Upstream
    metrics: Metrics
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(request_of(scope), receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        self.offload.warm(self.clock())
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self.upstream.close()
        self.offload.close()
        self.keys.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        started, at = perf_counter(), self.clock()
        request_id = _request_id(request)
        route, rest = self._route(request.path)
        self.metrics.add("befit_requests_in_flight")
        status = 499  # the client went away
        try:
            handler, ask = await self._read(request, receive, route, at, rest)
            status = await while_connected(
                receive, self._respond(handler, ask, send, request_id, route)
            )
        except DisconnectedError:
            pass
        except BefitError as error:
            reply = error_reply(error)
            status = reply.status
            self.metrics.add("befit_failures_total", route=route, code=reply.code)
            await send_reply(send, reply, (("x-request-id", request_id),))
        finally:
            self.metrics.add("befit_requests_in_flight", -1)
            self.metrics.add("befit_requests_total", route=route, status=str(status))
            self.metrics.observe("befit_request_seconds", perf_counter() - started, route=route)

    async def _read(
        self, request: Request, receive: Receive, route: str, at: datetime, rest: str
    ) -> tuple[Handler, Ask]:
        """Find the route, know the caller, read the body: in that order, cheapest first."""
        methods = self.routes.get(route)
        if methods is None:
            raise NotFoundError(f"there is nothing at {request.path[:200]}", hint="see /v1/models")
        handler = methods.get(request.method)
        if handler is None:
            raise MethodNotAllowedError(
                f"{request.method} is not answered here", hint=f"use {', '.join(methods)}"
            )
        ask = Ask(request=request, body={}, user=None, at=at, rest=rest)
        if route in self.open_routes:
            return handler, ask
        key = authenticate(request.headers, self.keys)
        if request.method == "POST":
            ask = replace(ask, body=await read_json(request, receive, self.options.max_body_bytes))
        user = person_of(key, request.headers, ask.body, self.options, at)
        return handler, replace(ask, user=user)

    async def _respond(
        self, handler: Handler, ask: Ask, send: Send, request_id: str, route: str
    ) -> int:
        try:
            reply = await handler(ask)
        except BefitError as error:
            reply = error_reply(error)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("%s failed", route)
            reply = error_reply(BefitError("the server failed", hint="ask again, or see its log"))
        if reply.code:
            self.metrics.add("befit_failures_total", route=route, code=reply.code)
        await send_reply(send, reply, (("x-request-id", request_id),))
        return reply.status

    def _route(self, path: str) -> tuple[str, str]:
        """The route of a path and what follows it; the route "other" where there is none."""
        path = path.removeprefix("/v1")
        if path in self.routes:
            return path, ""
        for route in self.routes:
            if route.endswith("/") and path.startswith(route):
                return route, path[len(route) :]
        return "other", ""


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    fit = 0 < len(given) <= LONGEST_REQUEST_ID and given.isascii() and given.isprintable()
    return given if fit else uuid4().hex
