"""The SDK: `befit.Client` speaks to a befit server over HTTP with the cycle's verbs.

One connection pool, synchronous, typed errors. It holds no state of a person.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote

import httpx

from befit.app.client_rights import ClientRights
from befit.app.server.problems import error_from
from befit.core.errors import BefitError, ModelUnavailableError

Messages = str | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person may read, and how it came about.

    Attributes:
        text: The answer.
        response_id: To react to it by; "" where nothing was kept.
        finish: Why it ended: "stop", "length", "content_filter", "tool_calls".
        personalized: Whether anything of the person reached the model.
        reason: Where nothing did, why: "off", "deadline", "nothing-known".
        beliefs: Names of the beliefs that were used.
        latency_ms: What befit added to the model's own time.
    """

    text: str
    response_id: str = ""
    finish: str = "stop"
    personalized: bool = False
    reason: str = ""
    beliefs: tuple[str, ...] = ()
    latency_ms: float = 0.0


@dataclass(slots=True)
class Stream:
    """An answer as it comes; iterate over it, then read ``answer``.

    Attributes:
        answer: What has come so far; whole when the iteration has ended.
    """

    _response: httpx.Response
    answer: Answer

    def __iter__(self) -> Iterator[str]:
        """Passages in order.

        Raises:
            BefitError: The answer broke off.
        """
        ended = False
        try:
            for line in self._response.iter_lines():
                if line == "data: [DONE]":
                    ended = True
                elif line.startswith("data:"):
                    yield from self._take(json.loads(line[5:]))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        finally:
            self._response.close()
        if not ended:
            raise ModelUnavailableError("the answer broke off", hint="ask again")

    def _take(self, chunk: Mapping[str, Any]) -> Iterator[str]:
        if "error" in chunk:
            raise error_from(502, chunk)
        a = self.answer
        for choice in chunk.get("choices", ()):
            text = choice["delta"].get("content") or ""
            self.answer = a = Answer(
                text=a.text + text,
                response_id=chunk.get("befit", {}).get("response_id", a.response_id),
                finish=choice.get("finish_reason") or a.finish,
                personalized=a.personalized,
                reason=a.reason,
                beliefs=a.beliefs,
                latency_ms=a.latency_ms,
            )
            if text:
                yield text


@dataclass(slots=True)
class Client(ClientRights):
    """A befit server, for one person or, under a service key, for the person named.

    Attributes:
        url: Where the server is, with or without ``/v1``.
        token: The bearer key.
        user: The person, under a service key; "" under a personal key, which knows its own.
        timeout_s: Longest silence of the server, seconds, > 0.
        transport: How requests travel; None is the network.
    """

    url: str
    token: str = field(repr=False)
    user: str = ""
    timeout_s: float = 120.0
    transport: httpx.BaseTransport | None = None
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the connection pool; nothing is sent yet."""
        headers = {"authorization": f"Bearer {self.token}"}
        if self.user:
            headers["x-litellm-end-user-id"] = self.user
        self._http = httpx.Client(
            base_url=self.url.rstrip("/").removesuffix("/v1") + "/v1/",
            headers=headers,
            timeout=self.timeout_s,
            transport=self.transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def respond(
        self,
        prompt: Messages,
        *,
        model: str = "",
        scope: str = "",
        incognito: bool = False,
        personalize: bool = True,
        **options: Any,
    ) -> Answer:
        """Ask, and wait for the whole answer.

        Args:
            prompt: What is asked, or the conversation in OpenAI's shape.
            model: Which model; "" is the server's.
            scope: Part of life: "work", "home".
            incognito: Keep nothing of this.
            personalize: Use what is known of the person.
            options: Anything else of a chat request: ``temperature``, ``max_tokens``.

        Raises:
            BefitError: The class says what went wrong.
        """
        body = _question(prompt, model) | options
        response = self._send(
            "POST", "chat/completions", body, headers=_controls(scope, incognito, personalize)
        )
        choice = response.json()["choices"][0]
        return _answer(
            response,
            text=choice["message"].get("content") or "",
            finish=choice.get("finish_reason") or "stop",
        )

    def stream(
        self,
        prompt: Messages,
        *,
        model: str = "",
        scope: str = "",
        incognito: bool = False,
        personalize: bool = True,
        **options: Any,
    ) -> Stream:
        """Ask, and read the answer as it comes; the arguments are those of `respond`.

        Raises:
            BefitError: The class says what went wrong.
        """
        body = _question(prompt, model) | {"stream": True} | options
        response = self._send(
            "POST",
            "chat/completions",
            body,
            headers=_controls(scope, incognito, personalize),
            stream=True,
        )
        return Stream(_response=response, answer=_answer(response))

    def remember(
        self,
        text: str,
        *,
        scope: str = "",
        kind: str = "stated",
        values: Mapping[str, float] | None = None,
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """Keep something that the person says of themselves; the evidence made of it."""
        body: dict[str, Any] = {"text": text, "scope": scope, "kind": kind}
        if values is not None:
            body["values"] = dict(values)
        if at is not None:
            body["at"] = at.isoformat()
        return self._json("POST", "me/evidence", body)

    def rate(self, response_id: str, value: float) -> dict[str, Any]:
        """How good a response was, in [0, 1]."""
        return self._react(response_id, "rating", value=value)

    def choose(self, response_id: str, *, over: str) -> dict[str, Any]:
        """One response was better than another."""
        return self._react(response_id, "choice", over=over)

    def edit(self, response_id: str, text: str) -> dict[str, Any]:
        """The text that the person would rather have had."""
        return self._react(response_id, "edit", text=text)

    def comment(self, response_id: str, text: str) -> dict[str, Any]:
        """What the person said about a response."""
        return self._react(response_id, "comment", text=text)

    def behaved(self, response_id: str, name: str, value: float = 1.0) -> dict[str, Any]:
        """What the person did.

        Args:
            response_id: With which response.
            name: "copied", "regenerated", "abandoned" (with 1), "clicked" (with its position, from
                1 at the top) or "dwell_seconds".
            value: As `name` needs it, >= 0.
        """
        return self._react(response_id, "behaviour", name=name, value=value)

    def profile(
        self, *, why: bool = False, as_of: datetime | None = None, scope: str = ""
    ) -> dict[str, Any]:
        """What is believed of the person; with the evidence, on a day, in a part of life."""
        query = {"why": str(why).lower(), "scope": scope}
        if as_of is not None:
            query["as_of"] = as_of.isoformat()
        return self._json("GET", "me/profile", query=query)

    def evidence(self) -> list[dict[str, Any]]:
        """Every observation about the person, oldest first."""
        rows: list[dict[str, Any]] = self._json("GET", "me/evidence")["data"]
        return rows

    def export(self) -> dict[str, Any]:
        """Everything that is kept of the person."""
        return self._json("GET", "me/export")

    def forget(self, evidence_id: str = "", *, keys: bool = False) -> dict[str, Any]:
        """Erase the person, or one observation.

        Args:
            evidence_id: Which observation; "" erases the person whole.
            keys: With the whole person, end their keys as well.
        """
        if evidence_id:
            return self._json("DELETE", f"me/evidence/{quote(evidence_id, safe='')}")
        return self._json("DELETE", "me", query={"keys": str(keys).lower()})

    def models(self) -> list[dict[str, Any]]:
        """The models that the server offers."""
        rows: list[dict[str, Any]] = self._json("GET", "models")["data"]
        return rows

    def _react(self, response_id: str, kind: str, **said: str | float) -> dict[str, Any]:
        return self._json("POST", "feedback", {"response": response_id, "kind": kind, **said})

    def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = self._send(method, path, body, query=query).json()
        return found

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> httpx.Response:
        request = self._http.build_request(method, path, json=body, headers=headers, params=query)
        try:
            response = self._http.send(request, stream=stream)
            if response.is_error:
                response.read()
                raise _error(response)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        return response


def _question(prompt: Messages, model: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    return {"messages": messages} | ({"model": model} if model else {})


def _controls(scope: str, incognito: bool, personalize: bool) -> dict[str, str]:
    controls = {"x-befit-scope": scope} if scope else {}
    if incognito:
        controls["x-befit-incognito"] = "on"
    if not personalize:
        controls["x-befit-personalize"] = "off"
    return controls


def _answer(response: httpx.Response, *, text: str = "", finish: str = "stop") -> Answer:
    headers = response.headers
    named = headers.get("x-befit-beliefs-used", "")
    return Answer(
        text=text,
        response_id=headers.get("x-befit-response-id", ""),
        finish=finish,
        personalized=headers.get("x-befit-personalized") == "true",
        reason=headers.get("x-befit-reason", ""),
        beliefs=tuple(unquote(name) for name in named.split(",") if name),
        latency_ms=float(headers.get("x-befit-latency-ms", 0.0)),
    )


def _error(response: httpx.Response) -> BefitError:
    try:
        body = response.json()
    except ValueError:
        body = response.text
    return error_from(response.status_code, body)


def _unreachable(error: httpx.HTTPError) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"the server cannot be reached: {error}", hint="check that befit serve runs there"
    )
