"""What goes wrong: bad requests, a failing upstream, a failing store, a port in use."""

import json
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from befit.app.client import Client
from befit.app.server.main import listen
from befit.app.server.upstream import HttpUpstream
from befit.core.dialogue import Context
from befit.core.errors import (
    AuthenticationError,
    ConfigError,
    ModelUnavailableError,
    PortInUseError,
    ReadOnlyStoreError,
    StoreError,
)
from befit.core.feedback import Feedback, Interaction
from befit.core.people import UserId
from befit.core.preference import Evidence, Profile

if TYPE_CHECKING:
    from tests.integration.conftest import Build, World

ASK: Any = [{"role": "user", "content": "Where to?"}]
CHAT = "/v1/chat/completions"


def post(world: "World", who: str = "ana", **body: Any) -> httpx.Response:
    with world.raw(who) as http:
        return http.post(CHAT, json={"model": "plain", "messages": ASK} | body)


def error_of(reply: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert all(isinstance(error[name], str) for name in ("message", "type", "code"))
    return error


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer sk-befit-wrong"}])
def test_without_a_key_there_is_no_answer(world: "World", headers: dict[str, str]) -> None:
    for path in ("/v1/models", "/v1/me/profile", "/v1/me/export"):
        reply = httpx.get(world.url + path, headers=headers)
        assert (reply.status_code, error_of(reply)["code"]) == (401, "invalid_api_key")
    with (
        openai.OpenAI(base_url=f"{world.url}/v1", api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(model="plain", messages=ASK)
    assert world.seen() == []


def test_a_personal_key_may_not_name_somebody_else(world: "World") -> None:
    reply = post(world, user="ben")
    assert reply.status_code == 403
    assert error_of(reply)["type"] == "permission_error"
    assert world.seen() == []


DEEP = b'{"messages": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
LONG = json.dumps({"messages": [{"role": "user", "content": "x" * 1_000_000}]}).encode()


@pytest.mark.parametrize(
    ("raw", "status", "param"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"[]", 400, None),
        (b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', 400, None),
        (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', 400, None),
        (b'{"messages": [{"role": "user", "content": NaN}]}', 400, None),
        (DEEP, 400, None),
        (LONG, 400, "messages"),
        (b'{"messages": [' + b" " * 2_000_001 + b"]}", 413, None),
        (b"{}", 400, "messages"),
        (b'{"messages": []}', 400, "messages"),
        (b'{"messages": "hello"}', 400, "messages"),
        (b'{"messages": [7]}', 400, "messages[0].role"),
        (b'{"messages": [{"role": ["user"], "content": "x"}]}', 400, "messages[0].role"),
        (b'{"messages": [{"role": "user", "content": 7}]}', 400, "messages[0].content"),
        (b'{"messages": [{"role": "user", "content": "  "}]}', 400, "messages"),
        (b'{"messages": [{"role": "system", "content": "x"}]}', 400, "messages"),
        (b'{"messages": [{"role": "user", "content": "x"}], "stream": "yes"}', 400, "stream"),
        (b'{"messages": [{"role": "user", "content": "x"}], "n": 0}', 400, "n"),
        (b'{"messages": [{"role": "user", "content": "x"}], "n": 1e9}', 400, "n"),
        (b'{"messages": [{"role": "user", "content": "x"}], "seed": "x"}', 400, "seed"),
        (b'{"messages": [{"role": "user", "content": "x"}], "user": []}', 400, "user"),
        (b'{"messages": [{"role": "user", "content": "x"}], "befit": 1}', 400, "befit"),
        (
            b'{"messages": [{"role": "user", "content": "x"}], "befit": {"scope": 1}}',
            400,
            "scope",
        ),
        (
            b'{"messages": [{"role": "user", "content": "x"}], "befit": {"incognito": "so"}}',
            400,
            "incognito",
        ),
        (
            b'{"messages": [{"role": "user", "content": "x"}], "modalities": ["audio"]}',
            400,
            "modalities",
        ),
    ],
)
def test_a_bad_request_is_named_and_goes_no_further(
    world: "World", raw: bytes, status: int, param: str | None
) -> None:
    for off in ({}, {"x-befit-personalize": "off"}):
        with world.raw() as http:
            headers = {"content-type": "application/json"} | off
            reply = http.post(CHAT, content=raw, headers=headers)
        assert reply.status_code == status
        error = error_of(reply)
        assert error["type"] == "invalid_request_error"
        assert error["param"] == param
    assert world.seen() == []


def test_the_body_must_be_json_and_of_a_bounded_size(world: "World") -> None:
    def pieces() -> Iterable[bytes]:  # without a declared length
        yield b'{"messages": ['
        for _ in range(300):
            yield b" " * 10_000

    with world.raw() as http:
        form = http.post(CHAT, data={"model": "plain"})
        assert (form.status_code, error_of(form)["code"]) == (415, "unsupported_media_type")
        large = http.post(CHAT, content=pieces(), headers={"content-type": "application/json"})
        assert (large.status_code, error_of(large)["code"]) == (413, "body_too_large")


def test_addresses_and_methods_that_do_not_exist(world: "World") -> None:
    with world.raw() as http:
        assert error_of(http.get("/v1/nothing"))["type"] == "not_found_error"
        wrong = http.get(CHAT)
        assert (wrong.status_code, error_of(wrong)["code"]) == (405, "method_not_allowed")
        assert http.get("/v1/models/no/such").status_code == 404


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["429", "500"])
def test_an_upstreams_error_is_passed_on_as_it_came(
    world: "World", model: str, stream: bool
) -> None:
    reply = post(world, model=model, stream=stream)
    assert reply.status_code == int(model)
    assert reply.json()["error"]["message"] == f"no: {model}"
    assert reply.headers["retry-after"] == "7"
    assert reply.headers["x-ratelimit-remaining-requests"] == "0"
    assert reply.headers["content-type"].startswith("application/json")
    with (
        openai.OpenAI(base_url=world.url, api_key=world.keys["ana"], max_retries=0) as client,
        pytest.raises(openai.RateLimitError if model == "429" else openai.InternalServerError),
    ):
        client.chat.completions.create(model=model, messages=ASK, stream=stream)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "status"), [("hang", 503), ("html", 502)])
def test_an_upstream_that_does_not_answer_is_a_typed_error(
    world: "World", model: str, status: int, stream: bool
) -> None:
    reply = post(world, model=model, stream=stream)
    assert error_of(reply)["type"] == "server_error"
    assert reply.status_code == (503 if stream else status)


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_is_down_is_a_typed_error(build: "Build", stream: bool) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    world = build(upstream=HttpUpstream(url=f"http://127.0.0.1:{port}/v1", retries=1))
    reply = post(world, stream=stream)
    assert (reply.status_code, error_of(reply)["code"]) == (503, "model_unavailable")
    ready = httpx.get(f"{world.url}/health/readiness")
    assert ready.status_code == 503
    assert ready.json() == {"status": "not ready", "store": "ok", "upstream": "down"}
    with world.client() as client, pytest.raises(ModelUnavailableError):
        client.models()


def test_a_call_is_tried_again_where_no_byte_had_come(world: "World") -> None:
    assert post(world, model="flaky").status_code == 200
    assert len([s for s in world.seen() if s.get("body")]) == 2


@pytest.mark.parametrize("model", ["cut", "stall", "mid-error"])
def test_a_stream_that_breaks_off_ends_with_an_error_event(world: "World", model: str) -> None:
    reply = post(world, model=model, stream=True)
    assert reply.status_code == 200
    *events, last = [json.loads(e[6:]) for e in reply.text.split("\n\n") if e]
    spoken = "".join(c["delta"].get("content") or "" for e in events for c in e["choices"])
    assert spoken == "Take the night train. "
    assert last["error"]["type"] == "server_error"
    if model == "mid-error":
        assert last["error"] == {"message": "overloaded", "type": "server_error", "code": "busy"}
    with (
        openai.OpenAI(base_url=world.url, api_key=world.keys["ana"], max_retries=0) as client,
        pytest.raises(openai.APIError),
    ):
        list(client.chat.completions.create(model=model, messages=ASK, stream=True))


class Broken:
    """A memory that is slow, or refuses, or has a bug."""

    def __init__(self, how: Exception | float) -> None:
        self.how = how
        self.go = threading.Event()

    def remember(self, evidence: Iterable[Evidence]) -> None:
        raise StoreError("down")

    def recall(self, context: Context) -> Profile:
        if isinstance(self.how, Exception):
            raise self.how
        self.go.wait(self.how)
        raise StoreError("down")

    def evidence(self, user: UserId) -> Sequence[Evidence]:
        raise StoreError("down")

    def forget(self, user: UserId, ids: Sequence[str] | None = None) -> int:
        raise StoreError("down")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (300.0, "deadline"),
        (ZeroDivisionError("a bug"), "error"),
        (StoreError("x"), "nothing-known"),
    ],
)
def test_without_memory_the_generic_answer_goes_out_in_time(
    build: "Build", how: Exception | float, reason: str, stream: bool
) -> None:
    memory = Broken(how)
    world = build(memory=memory, deadline_ms=50, threads=2)
    for _ in range(4):  # more than there are threads
        reply = post(world, model="echo", stream=stream)
        assert reply.status_code == 200
        assert reply.headers["x-befit-personalized"] == "false"
        assert reply.headers["x-befit-reason"] == reason
        assert "I was told nothing." in reply.text
    memory.go.set()
    with world.raw() as http:
        told = http.get("/v1/me/evidence")
    assert (told.status_code, error_of(told)["code"]) == (503, "store_unavailable")
    assert httpx.get(f"{world.url}/health/readiness").json()["store"] == "down"


class Unwritable:
    """A journal on a disk that cannot be written."""

    def record(self, interaction: Interaction) -> None:
        raise ReadOnlyStoreError("read-only", hint="mount it for writing")

    def react(self, user: UserId, feedback: Feedback) -> Interaction:
        raise ReadOnlyStoreError("read-only", hint="mount it for writing")

    def read(self, user: UserId | None = None) -> Sequence[Interaction]:
        return ()

    def erase(self, user: UserId) -> int:
        raise ReadOnlyStoreError("read-only", hint="mount it for writing")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_cannot_be_recorded_still_goes_out(build: "Build", stream: bool) -> None:
    world = build(journal=Unwritable())
    reply = post(world, stream=stream)
    assert reply.status_code == 200
    assert "by the sea." in reply.text
    assert "response_id" not in reply.text
    assert "x-befit-response-id" not in reply.headers
    assert "befit_unrecorded_total 1" in httpx.get(f"{world.url}/metrics").text
    with world.raw() as http:
        refused = http.post("/v1/feedback", json={"response": "r", "kind": "rating", "value": 1})
    assert (refused.status_code, error_of(refused)["code"]) == (503, "store_read_only")


def test_a_port_in_use_is_said_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken:
        with pytest.raises(PortInUseError) as caught:
            listen("127.0.0.1", taken.getsockname()[1])
        assert "--port" in caught.value.hint
    with pytest.raises(ConfigError):
        listen("192.0.2.1", 0)


def test_the_clients_errors_are_the_servers(world: "World") -> None:
    with world.client() as client, pytest.raises(ModelUnavailableError):
        list(client.stream("Where to?", model="cut"))
    with Client(world.url, "sk-befit-x") as stranger, pytest.raises(AuthenticationError):
        stranger.models()
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", "x") as lost, pytest.raises(ModelUnavailableError):
        lost.respond("Where to?")
