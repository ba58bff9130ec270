"""``/v1/models``, ``/health`` and ``/metrics``: what there is, and whether it works."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from befit.app.server.ask import Ask
from befit.app.server.metrics import MEDIA_TYPE, Metrics
from befit.app.server.offload import NOBODY, Offload
from befit.app.server.problems import NotFoundError
from befit.app.server.respond import Reply, json_reply
from befit.app.server.upstream import Upstream
from befit.core.errors import StoreError

STORE_S = 1.0  # longest wait for the store before it counts as down


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Routes that say something of the server itself.

    Attributes:
        offload: The cycle.
        upstream: The language model.
        metrics: Every number.
        model: The one model that is listed; "" lists what the upstream lists.
    """

    offload: Offload
    upstream: Upstream
    metrics: Metrics
    model: str

    async def models(self, ask: Ask) -> Reply:
        """Every model."""
        return json_reply({"object": "list", "data": await self._models()})

    async def model_named(self, ask: Ask) -> Reply:
        """One model."""
        found = next((m for m in await self._models() if m.get("id") == ask.rest), None)
        if found is None:
            raise NotFoundError(
                f"there is no model {ask.rest[:200]!r}",
                hint="list them: GET /v1/models",
                field="id",
            )
        return json_reply(found)

    async def alive(self, ask: Ask) -> Reply:
        """Whether the process answers."""
        return json_reply({"status": "ok"})

    async def ready(self, ask: Ask) -> Reply:
        """Whether it can answer chats: without the store it can, without the upstream not."""
        store, upstream = await asyncio.gather(self._store(), self.upstream.ready())
        state = {"store": "ok" if store else "down", "upstream": "ok" if upstream else "down"}
        status = "ready" if upstream else "not ready"
        return json_reply({"status": status, **state}, status=200 if upstream else 503)

    async def numbers(self, ask: Ask) -> Reply:
        """Counts and times for Prometheus."""
        return Reply(body=self.metrics.text(), media_type=MEDIA_TYPE)

    async def _models(self) -> Sequence[Mapping[str, Any]]:
        if self.model:
            return ({"id": self.model, "object": "model", "created": 0, "owned_by": "befit"},)
        return await self.upstream.models()

    async def _store(self) -> bool:
        look = self.offload.call(self.offload.cycle.memory.evidence, NOBODY)
        try:
            await asyncio.wait_for(look, STORE_S)
        except (StoreError, TimeoutError):
            return False
        return True
