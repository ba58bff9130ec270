"""``/v1/chat/completions``: prepare, ask the upstream, admit, record; plain and streamed.

The answer stays in OpenAI's shape; what befit adds stands in ``x-befit-*`` headers and, in the last
chunk of a stream, under the key ``befit``.
"""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any
from urllib.parse import quote

from befit.app.listening import Says, answer
from befit.app.server.admission import KEPT, Admission, words
from befit.app.server.ask import Ask
from befit.app.server.metrics import Metrics
from befit.app.server.offload import Offload, Prepared
from befit.app.server.problems import UpstreamRefusedError, error_body
from befit.app.server.respond import Reply, json_reply
from befit.app.server.sse import END, event
from befit.app.server.turn import Turn, left_of, read_turn
from befit.app.server.upstream import Call, Chunk, LocalUpstream, Upstream
from befit.core.dialogue import Conditioning, Draft, Response
from befit.core.errors import BefitError, ModelUnavailableError
from befit.features.forget_conversation import ASKED
from befit.generate.rendering import insert

FORWARDED = ("traceparent", "tracestate", "x-request-id")  # of the client's headers; never its key
MOST_NAMED = 32  # beliefs in one header
SSE = "text/event-stream; charset=utf-8"
logger = logging.getLogger("befit.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Answers chat requests.

    Attributes:
        offload: The cycle.
        upstream: The language model.
        metrics: Where times go.
    """

    offload: Offload
    upstream: Upstream
    metrics: Metrics

    async def complete(self, ask: Ask) -> Reply:
        """One chat completion.

        Raises:
            InputError: The request makes no sense.
            ModelError: The upstream failed before its answer began.
        """
        started = perf_counter()
        turn = read_turn(ask.body, ask.request.headers, ask.user, ask.at)
        heard, gone = await self.offload.hear(turn)
        if heard.context is not turn.context:
            turn = left_of(turn, heard.context, heard.texts, ASKED)
        if heard.silent and _free(turn.body):
            return await self._told(turn, answer(heard, gone or 0), gone or 0)
        prepared = await self.offload.prepare(turn)
        conditioning = prepared.conditioning
        body = turn.body | {"messages": insert(turn.body["messages"], conditioning)}
        headers = {k: v for k, v in ask.request.headers.items() if k in FORWARDED}
        call = Call(body=body, context=turn.context, conditioning=conditioning, headers=headers)
        asked = perf_counter()
        self.metrics.observe("befit_overhead_seconds", asked - started)
        self.metrics.add("befit_turns_total", outcome=prepared.reason or "personalized")
        work = _Work(
            turn=turn, prepared=prepared, call=call, asked=asked, upstream=self.upstream,
            forgotten=gone,
        )  # fmt: skip
        if turn.stream:
            return await self._streamed(work, overhead=asked - started)
        return await self._plain(work, started)

    async def _told(self, turn: Turn, text: str, gone: int) -> Reply:
        """Befit's own answer to who asked for nothing but to forget; no model is asked."""
        said = LocalUpstream(
            policy=Says(text), model=str(turn.body.get("model") or "befit"), candidates=1
        )
        prepared = Prepared(Conditioning(), "asked-to-forget")
        call = Call(body=turn.body, context=turn.context, conditioning=prepared.conditioning)
        work = _Work(
            turn=turn, prepared=prepared, call=call, asked=perf_counter(), upstream=said,
            forgotten=gone,
        )  # fmt: skip
        self.metrics.add("befit_turns_total", outcome=prepared.reason)
        try:
            if turn.stream:
                return await self._streamed(work, overhead=0.0)
            return await self._plain(work, work.asked)
        finally:
            await said.close()

    async def _plain(self, work: "_Work", started: float) -> Reply:
        completion = await work.upstream.complete(work.call)
        upstream_s = perf_counter() - work.asked
        self.metrics.observe("befit_upstream_seconds", upstream_s)
        choices, responses = [], []
        for raw, drafts in zip(completion.body["choices"], completion.drafts, strict=True):
            choice, response = await self._choice(work, raw, drafts)
            choices.append(choice)
            responses += [response] if response else []
        self._count_refusals([c for c in choices if c.get("finish_reason") == "content_filter"])
        recorded = await self.offload.record(work.turn, work.prepared, responses)
        if responses and not (recorded or work.turn.context.incognito):
            self.metrics.add("befit_unrecorded_total")
        if work.prepared.conditioning.beliefs and responses and not responses[0].beliefs:
            # What the person's block led to was refused, and the generic answer went out.
            work = replace(work, prepared=Prepared(Conditioning(), "boundary"))
        headers = work.headers(perf_counter() - started - upstream_s)
        if recorded:
            headers["x-befit-response-id"] = ",".join(r.id for r in responses)
        kept = {k: v for k, v in completion.headers if k != "content-type"}
        return json_reply(completion.body | {"choices": choices}, headers=kept | headers)

    async def _choice(
        self, work: "_Work", raw: Mapping[str, Any], drafts: Sequence[Draft]
    ) -> tuple[Chunk, Response | None]:
        """One choice of a plain answer with what may be said in place of what was said."""
        given = raw.get("message")
        message: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
        content, context = message.get("content"), work.turn.context
        unsaid = {k: v for k, v in message.items() if k != "content" or not isinstance(v, str)}
        kept = {k: raw[k] for k in KEPT if k in raw}
        if beside := words(unsaid):
            verdict = await self.offload.judge(context, work.prepared.conditioning, beside)
            if verdict.finish == "content_filter":
                return _choice(kept, {}, verdict), verdict
        if not any(draft.text for draft in drafts):
            return {**kept, "message": message}, None
        response = await self.offload.admit(context, work.prepared.conditioning, drafts)
        if response.text != content:
            return _choice(kept, unsaid, response), response
        logprobs = {"logprobs": raw["logprobs"]} if "logprobs" in raw else {}
        return _choice(kept, unsaid, response) | logprobs, response

    async def _streamed(self, work: "_Work", overhead: float) -> Reply:
        chunks = work.upstream.stream(work.call)
        try:
            first = await anext(chunks, None)
        except BaseException:
            await chunks.aclose()
            raise
        if first is None:
            raise ModelUnavailableError("the upstream said nothing", hint="ask again")
        headers = {
            **work.headers(overhead),
            "cache-control": "no-cache",
            "x-accel-buffering": "no",
        }
        body = self._events(work, first, chunks)
        return Reply(body=body, media_type=SSE, headers=tuple(headers.items()))

    async def _events(
        self, work: "_Work", first: Chunk, chunks: AsyncGenerator[Chunk, None]
    ) -> AsyncGenerator[bytes, None]:
        admission = Admission(offload=self.offload, turn=work.turn, prepared=work.prepared)
        spoken = False
        try:
            out = await admission.take(first)
            while True:
                if out and not spoken and any(map(_has_text, out)):
                    spoken = True
                    waited = perf_counter() - work.asked
                    self.metrics.observe("befit_time_to_first_token_seconds", waited)
                if out:
                    yield b"".join(map(event, out))
                following = None if admission.refused else await anext(chunks, None)
                if following is None:
                    break
                out = await admission.take(following)
            yield b"".join(map(event, await admission.finish())) + END
        except BefitError as error:
            yield _error_event(error)
        except Exception:
            logger.exception("a stream broke off")
            yield event(error_body(BefitError("the server failed", hint="ask again")))
        finally:
            self._count_refusals([admission] if admission.refused else [])
            if admission.unrecorded:
                self.metrics.add("befit_unrecorded_total")
            self.metrics.observe("befit_upstream_seconds", perf_counter() - work.asked)
            admission.close()
            await chunks.aclose()

    def _count_refusals(self, refused: Sequence[object]) -> None:
        for _ in refused:
            self.metrics.add("befit_refusals_total")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    turn: Turn
    prepared: Prepared
    call: Call
    asked: float
    upstream: Upstream
    forgotten: int | None = None

    def headers(self, overhead: float) -> dict[str, str]:
        beliefs = self.prepared.conditioning.beliefs
        headers = {
            "x-befit-personalized": "true" if self.prepared.personal else "false",
            "x-befit-latency-ms": f"{overhead * 1000:.2f}",
        }
        if self.forgotten is not None:
            headers["x-befit-forgotten"] = str(self.forgotten)
        if self.prepared.reason:
            headers["x-befit-reason"] = self.prepared.reason
        if beliefs:
            names = (quote(name, safe=" :/-_.") for name in beliefs[:MOST_NAMED])
            headers["x-befit-beliefs-used"] = ",".join(names)
        return headers


def _free(body: Mapping[str, Any]) -> bool:
    """Whether an answer in plain words will do; a form that the client fixed is the model's."""
    form = body.get("response_format")
    return not isinstance(form, Mapping) or form.get("type") in (None, "text")


def _choice(kept: Mapping[str, Any], beside: Mapping[str, Any], response: Response) -> Chunk:
    """A choice that says ``response``; after a refusal nothing else that the model wrote."""
    refused = response.finish == "content_filter"
    finish = response.finish if refused else kept.get("finish_reason") or response.finish
    message = {"role": "assistant", **({} if refused else beside), "content": response.text}
    return {**kept, "message": message, "finish_reason": finish}


def _error_event(error: BefitError) -> bytes:
    """An error in mid-stream; what an upstream said of it goes on as it came."""
    if isinstance(error, UpstreamRefusedError) and error.body:
        return b"data: " + error.body.encode() + b"\n\n"
    return event(error_body(error))


def _has_text(chunk: Chunk) -> bool:
    return any(words(choice["delta"]) for choice in chunk["choices"])
