"""The server as the settings describe it."""

import os
from pathlib import Path

from befit.app.asking import asking
from befit.app.build import Workshop
from befit.app.projecting import Projecting
from befit.app.server.keys import KeyStore
from befit.app.server.main import App, create_app
from befit.app.server.options import ServerOptions
from befit.app.server.upstream import HttpUpstream, LocalUpstream, Upstream

EMBEDDED = "smollm2-135m-instruct"


def application(shop: Workshop) -> App:
    """The ASGI application, wired.

    Raises:
        ConfigError: The settings make no sense.
    """
    wanted = shop.settings.server
    options = ServerOptions(
        model="" if shop.settings.upstream.url else _name(shop),
        deadline_ms=wanted.deadline_ms,
        max_body_bytes=int(wanted.max_body_mb * 1_000_000),
        openwebui_secret=wanted.openwebui_secret,
        user_headers=wanted.user_headers,
        learn_stated=wanted.learn_stated,
        threads=wanted.threads,
    )
    cycle = shop.cycle()
    keys, listener = KeyStore(wanted.keys), shop.listener(cycle)
    reads = Projecting(shop=shop).projector
    return create_app(
        cycle,
        options,
        keys,
        _upstream(shop),
        listener=listener,
        reads=reads,
        asking=asking(shop, cycle.memory),
    )


def _upstream(shop: Workshop) -> Upstream:
    wanted = shop.settings.upstream
    if wanted.url:
        return HttpUpstream(
            url=wanted.url,
            model=wanted.model,
            key=os.environ.get(wanted.key_env, ""),
            timeout_s=wanted.timeout_s,
        )
    return LocalUpstream(
        policy=shop.policy,
        model=_name(shop),
        candidates=shop.settings.candidates,
    )


def _name(shop: Workshop) -> str:
    return Path(shop.settings.upstream.model or EMBEDDED).stem
