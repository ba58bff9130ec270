import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from befit.app.client import Client
from befit.app.server.problems import TABLE, error_body, error_from, problem_of
from befit.core.errors import BefitError, ModelRejectedError, ModelUnavailableError

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, user: str = "") -> Client:
    return Client("http://befit/v1/", "key", user=user, transport=httpx.MockTransport(handler))


@pytest.mark.parametrize("kind", TABLE)
def test_every_error_comes_back_as_what_it_was(kind: type[BefitError]) -> None:
    sent = kind("it went wrong", hint="do better", field="text")
    back = error_from(problem_of(sent).status, error_body(sent))
    assert type(back) is kind
    assert (str(back), back.field) == ("it went wrong; do better", "text")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"error": {"message": "slow down", "code": "rate_limited"}}, ModelUnavailableError),
        (500, "<h1>oops</h1>", ModelUnavailableError),
        (400, {"error": "flat"}, ModelRejectedError),
        (418, None, ModelRejectedError),
    ],
)
def test_errors_that_are_not_befits_are_told_by_their_status(
    status: int, body: object, kind: type[BefitError]
) -> None:
    assert type(error_from(status, body)) is kind


def test_no_two_errors_share_a_code() -> None:
    assert len({problem.code for problem in TABLE.values()}) == len(TABLE)


def test_a_question_carries_the_key_the_person_and_the_controls() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://befit/v1/chat/completions"
        assert request.headers["authorization"] == "Bearer key"
        assert request.headers["x-litellm-end-user-id"] == "ana"
        assert request.headers["x-befit-scope"] == "work"
        assert request.headers["x-befit-incognito"] == "on"
        assert request.headers["x-befit-personalize"] == "off"
        body = json.loads(request.content)
        assert body["messages"] == [{"role": "user", "content": "Hi"}]
        assert body["temperature"] == 0.1
        headers = {
            "x-befit-response-id": "r1",
            "x-befit-personalized": "true",
            "x-befit-beliefs-used": "length,topic:caf%C3%A9%2C bar",
            "x-befit-latency-ms": "0.4",
        }
        choice = {"message": {"content": "Hello"}, "finish_reason": "length"}
        return httpx.Response(200, json={"choices": [choice]}, headers=headers)

    with client(answer, user="ana") as ana:
        got = ana.respond("Hi", scope="work", incognito=True, personalize=False, temperature=0.1)
    assert (got.text, got.response_id, got.finish) == ("Hello", "r1", "length")
    assert got.personalized
    assert got.beliefs == ("length", "topic:café, bar")
    assert got.latency_ms == 0.4


def events(*chunks: object, end: str = "data: [DONE]\n\n") -> Handler:
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end
    return lambda _: httpx.Response(200, text=text)


def chunk(text: str, finish: str | None = None, **more: object) -> dict[str, object]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}], **more}


def test_a_stream_gives_its_text_and_then_how_it_ended() -> None:
    usage = {"choices": [], "usage": {"total_tokens": 3}}
    last = chunk("", "content_filter", befit={"response_id": "r2"})
    with client(events(chunk(""), chunk("A "), chunk("b."), last, usage)) as ana:
        stream = ana.stream("Hi")
        assert list(stream) == ["A ", "b."]
    assert (stream.answer.text, stream.answer.finish) == ("A b.", "content_filter")
    assert stream.answer.response_id == "r2"


def test_a_stream_that_breaks_off_is_an_error_after_its_text() -> None:
    error = {"error": {"message": "gone", "code": "model_unavailable"}}
    for handler in (events(chunk("A "), error, end=""), events(chunk("A "), end="")):
        with client(handler) as ana:
            stream = ana.stream("Hi")
            with pytest.raises(ModelUnavailableError):
                list(stream)
        assert stream.answer.text == "A "


def test_times_and_values_travel_in_json() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)

    def answer(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {
            "text": "t",
            "scope": "",
            "kind": "stated",
            "values": {"length": -1.0},
            "at": "2026-01-02T00:00:00+00:00",
        }
        return httpx.Response(201, json={"id": "e"})

    with client(answer) as ana:
        assert ana.remember("t", values={"length": -1.0}, at=at) == {"id": "e"}


def test_a_server_that_is_not_there_is_said_with_the_way_out() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with client(refuse) as ana, pytest.raises(ModelUnavailableError) as caught:
        ana.models()
    assert "befit serve" in caught.value.hint
