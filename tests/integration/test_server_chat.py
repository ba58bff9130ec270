"""Chats over a real socket with the stock client, plain and streamed."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from befit.core.dialogue import Context, Verdict

if TYPE_CHECKING:
    from tests.integration.conftest import Build, World

ASK: Any = [
    {"role": "system", "content": "You sell trips."},
    {"role": "user", "content": "Where to?"},
]
REFUSAL = "I can't help with that."


def stock(world: "World", who: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{world.url}/v1", api_key=world.keys[who], max_retries=0)


def chunks(lines: httpx.Response) -> list[Any]:
    """The events of a stream, the last one as it is."""
    data = [line[6:] for line in lines.text.split("\n") if line.startswith("data: ")]
    return [d if d == "[DONE]" else json.loads(d) for d in data]


def said(events: list[Any], field: str = "content") -> str:
    deltas = [c["delta"] for e in events if e != "[DONE]" for c in e.get("choices", ())]
    return "".join(delta.get(field) or "" for delta in deltas)


def post(world: "World", who: str = "ana", headers: Any = None, **body: Any) -> httpx.Response:
    with world.raw(who) as http:
        asked = {"model": "plain", "messages": ASK} | body
        return http.post("/v1/chat/completions", json=asked, headers=headers)


def test_two_people_get_two_answers_from_the_stock_client(world: "World") -> None:
    answers, beliefs = {}, {}
    for who in ("ana", "ben"):
        with stock(world, who) as client:
            raw = client.chat.completions.with_raw_response.create(model="echo", messages=ASK)
            answers[who] = raw.parse().choices[0].message.content
            beliefs[who] = raw.headers["x-befit-beliefs-used"]
            assert raw.headers["x-befit-personalized"] == "true"
            assert float(raw.headers["x-befit-latency-ms"]) >= 0
            assert raw.headers["x-request-id"]
    assert beliefs == {"ana": "length", "ben": "warmth"}
    assert answers["ana"] != answers["ben"]
    assert answers["ana"] is not None
    assert answers["ana"].startswith("I was told: You sell trips.")


def test_two_people_get_two_streams_from_the_stock_client(world: "World") -> None:
    answers, beliefs = {}, {}
    for who in ("ana", "ben"):
        with stock(world, who) as client:
            raw = client.chat.completions.with_raw_response.create(
                model="echo", messages=ASK, stream=True, stream_options={"include_usage": True}
            )
            beliefs[who] = raw.headers["x-befit-beliefs-used"]
            events = list(raw.parse())
        answers[who] = "".join(c.delta.content or "" for event in events for c in event.choices)
        assert events[-1].usage is not None
        assert events[-1].usage.total_tokens == 33
        assert [c.finish_reason for e in events for c in e.choices if c.finish_reason] == ["stop"]
    assert beliefs == {"ana": "length", "ben": "warmth"}
    assert answers["ana"] != answers["ben"]
    assert answers["ana"].startswith("I was told: You sell trips.")


def test_the_embedded_policy_answers_the_stock_client(local: "World") -> None:
    answers = {}
    for who in ("ana", "ben"):
        with stock(local, who) as client:
            raw = client.chat.completions.with_raw_response.create(
                model="toy", messages=ASK, seed=1
            )
            plain = raw.parse()
            assert raw.headers["x-befit-response-id"]
            assert (plain.model, plain.choices[0].finish_reason) == ("toy", "stop")
            stream = client.chat.completions.create(model="toy", messages=ASK, seed=1, stream=True)
            text = "".join(c.delta.content or "" for e in stream for c in e.choices)
            assert text == plain.choices[0].message.content
            answers[who] = text
            assert [m.id for m in client.models.list()] == ["toy"]
    assert answers["ana"] != answers["ben"]


def test_length_and_temperature_reach_the_embedded_policy(local: "World") -> None:
    with stock(local, "ana") as client:
        short = client.chat.completions.create(model="toy", messages=ASK, seed=1, max_tokens=3)
        assert short.choices[0].finish_reason == "length"
        assert len((short.choices[0].message.content or "").split()) == 3
        newer = client.chat.completions.create(
            model="toy", messages=ASK, seed=1, max_completion_tokens=2, max_tokens=9
        )
        assert len((newer.choices[0].message.content or "").split()) == 2
        with pytest.raises(openai.BadRequestError, match="temperature"):
            client.chat.completions.create(model="toy", messages=ASK, temperature=-1)
        with pytest.raises(openai.BadRequestError, match="max_tokens"):
            client.chat.completions.create(model="toy", messages=ASK, max_tokens=0)


def test_unknown_fields_go_up_and_come_back_and_befits_own_do_not(world: "World") -> None:
    reply = post(
        world,
        headers={"x-befit-scope": "work", "traceparent": "00-ab-cd-01"},
        top_k=5,
        nested={"a": [1, {"b": None}]},
        befit={"incognito": True},
        metadata={"team": "x", "befit_personalize": "on", "befit": {"scope": "home"}},
    )
    seen = world.seen()[-1]
    assert seen["body"]["top_k"] == 5
    assert seen["body"]["nested"] == {"a": [1, {"b": None}]}
    assert seen["body"]["metadata"] == {"team": "x"}
    assert seen["body"]["stream"] is False
    assert "befit" not in seen["body"]
    assert seen["headers"]["traceparent"] == "00-ab-cd-01"
    assert world.keys["ana"] not in json.dumps(seen)
    assert not any(name.startswith("x-befit") for name in seen["headers"])
    body = reply.json()
    assert (body["id"], body["vendor"]) == ("chatcmpl-up", {"region": "eu"})
    assert body["usage"]["total_tokens"] == 33
    assert reply.headers["x-ratelimit-remaining-requests"] == "41"


def test_a_stream_keeps_the_upstreams_fields_and_drops_its_token_probabilities(
    world: "World",
) -> None:
    reply = post(world, stream=True)
    events = chunks(reply)
    assert events[-1] == "[DONE]"
    assert all(e["id"] == "chatcmpl-up" and e["vendor"] for e in events[:-1])
    assert "FORBIDDEN" not in reply.text
    assert (
        said(events) == "Take the night train. It is slow, but quiet. You will wake up by the sea."
    )
    assert events[-2]["befit"]["response_id"]


@pytest.mark.parametrize(
    "control",
    [
        {"headers": {"x-befit-personalize": "off"}},
        {"metadata": {"befit": {"personalize": False}}},
        {"metadata": {"befit_personalize": "off"}},
        {"befit": {"personalize": "off"}},
    ],
)
def test_personalization_can_be_left_out_of_a_turn(world: "World", control: Any) -> None:
    reply = post(world, model="echo", **control)
    assert reply.headers["x-befit-personalized"] == "false"
    assert reply.headers["x-befit-reason"] == "off"
    assert reply.json()["choices"][0]["message"]["content"] == "I was told: You sell trips."
    assert "metadata" not in world.seen()[-1]["body"]


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_of_an_incognito_turn_is_kept(world: "World", stream: bool) -> None:
    before = world.cycle.memory.evidence("ana")  # type: ignore[arg-type]
    short = [{"role": "user", "content": "Please keep your answers short. Where to?"}]
    reply = post(world, headers={"x-befit-incognito": "on"}, stream=stream, messages=short)
    assert reply.headers["x-befit-personalized"] == "true"
    assert "response-id" not in str(reply.headers)
    assert "response_id" not in reply.text
    assert world.cycle.journal.read() == []
    assert world.cycle.memory.evidence("ana") == before  # type: ignore[arg-type]


def test_what_a_person_states_in_a_chat_is_believed_afterwards(world: "World") -> None:
    ask = [{"role": "user", "content": "Please keep your answers short."}]
    first = post(world, "cem", messages=ask)
    assert first.headers["x-befit-reason"] == "nothing-known"
    post(world, "cem", messages=ask)  # asked again: not learned twice
    kept = world.cycle.memory.evidence("cem")  # type: ignore[arg-type]
    assert [row.text for row in kept] == ["Please keep your answers short."]
    assert kept[0].source == first.headers["x-befit-response-id"]
    assert post(world, "cem").headers["x-befit-beliefs-used"] == "length"


def test_what_was_asked_is_not_learned_where_the_server_says_so(build: "Build") -> None:
    world = build(learn_stated=False)
    post(world, "cem", messages=[{"role": "user", "content": "Please keep your answers short."}])
    assert not world.cycle.memory.evidence("cem")  # type: ignore[arg-type]


def test_a_service_key_acts_for_whom_it_names_and_for_nobody_else(world: "World") -> None:
    named = post(world, "service", user="ben")
    assert named.headers["x-befit-beliefs-used"] == "warmth"
    assert [turn.context.user for turn in world.cycle.journal.read()] == ["ben"]
    nobody = post(world, "service", model="echo")
    assert nobody.headers["x-befit-reason"] == "anonymous"
    assert nobody.json()["choices"][0]["message"]["content"] == "I was told: You sell trips."
    assert len(world.cycle.journal.read()) == 1


def test_several_choices_are_several_responses(world: "World") -> None:
    reply = post(world, n=2)
    ids = reply.headers["x-befit-response-id"].split(",")
    assert [turn.response.id for turn in world.cycle.journal.read()] == ids
    assert len(set(ids)) == len(reply.json()["choices"]) == 2


def test_the_boundary_ends_a_stream_before_the_forbidden_sentence(world: "World") -> None:
    reply = post(world, "service", model="bad", stream=True)
    events = chunks(reply)
    assert "FORBIDDEN" not in reply.text
    assert said(events) == f"First, a plain sentence. {REFUSAL}"
    assert events[-2]["choices"][0]["finish_reason"] == "content_filter"
    assert events[-1] == "[DONE]"


def test_a_forbidden_answer_is_replaced_and_says_so(world: "World") -> None:
    reply = post(world, "service", model="bad")
    choice = reply.json()["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": REFUSAL}
    assert choice["finish_reason"] == "content_filter"
    assert "FORBIDDEN" not in reply.text


def test_where_the_personal_answer_is_forbidden_the_generic_one_goes_out(world: "World") -> None:
    reply = post(world, "ana", model="bad")
    assert reply.headers["x-befit-reason"] == "boundary"
    assert reply.json()["choices"][0]["finish_reason"] == "stop"
    assert "FORBIDDEN" not in reply.text


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls_pass_whole_and_forbidden_ones_do_not(world: "World", stream: bool) -> None:
    good = post(world, "service", model="tools", stream=stream)
    if stream:
        events = chunks(good)
        calls = [
            call["function"]["arguments"]
            for event in events[:-1]
            for choice in event["choices"]
            for call in choice["delta"].get("tool_calls", ())
        ]
        assert json.loads("".join(calls)) == {"to": "Genoa"}
        assert events[-2]["choices"][0]["finish_reason"] == "tool_calls"
    else:
        call = good.json()["choices"][0]["message"]["tool_calls"][0]
        assert json.loads(call["function"]["arguments"]) == {"to": "Genoa"}
    bad = post(world, "service", model="tools-bad", stream=stream)
    assert "content_filter" in bad.text
    assert REFUSAL in bad.text
    assert "tool_calls" not in bad.text
    assert "FORBI" not in bad.text


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_model_thinks_aloud_is_judged_too(world: "World", stream: bool) -> None:
    bad = post(world, "service", model="thinks-bad", stream=stream)
    assert "content_filter" in bad.text
    assert "FORBIDDEN" not in bad.text
    if stream:
        good = chunks(post(world, "service", model="thinks", stream=True))
        assert said(good, "reasoning_content") == "They ask for a trip. I know one. "
        assert said(good).startswith("Take the night train.")


def test_a_sentence_leaves_when_it_is_whole_and_not_at_the_end(world: "World") -> None:
    with (
        world.raw() as http,
        http.stream(
            "POST",
            "/v1/chat/completions",
            json={"model": "slow", "messages": ASK, "stream": True},
        ) as reply,
    ):
        came = [
            (time.perf_counter(), json.loads(line[6:])["choices"][0]["delta"].get("content"))
            for line in reply.iter_lines()
            if line.startswith("data: {")
        ]
    spoken = [(at, text) for at, text in came if text]
    assert [text.strip() for _, text in spoken] == [
        "Take the night train.",
        "It is slow, but quiet.",
        "You will wake up by the sea.",
    ]
    assert spoken[-1][0] - spoken[0][0] > 0.2


class Slow:
    """A guard that thinks for long."""

    name = "slow"
    values = ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        time.sleep(0.2)
        return Verdict(guard=self.name, allowed="FORBIDDEN" not in text)


def test_a_slow_guard_keeps_its_own_stream_waiting_and_no_other(build: "Build") -> None:
    world = build(guard=Slow())
    post(world, model="plain", stream=True)  # by now it is known to be slow
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(post, world, "service", model="bad", stream=True)
        answered = 0
        while not stream.done():
            assert httpx.get(f"{world.url}/health").status_code == 200
            answered += 1
    assert said(chunks(stream.result())) == f"First, a plain sentence. {REFUSAL}"
    assert answered > 5  # a guard on the event loop would let one through after each sentence


@pytest.mark.parametrize("model", ["endless", "hang"])
def test_when_the_client_leaves_the_upstream_is_let_go(world: "World", model: str) -> None:
    with world.raw() as http, pytest.raises(httpx.ReadTimeout):
        http.post(
            "/v1/chat/completions",
            json={"model": model, "messages": ASK, "stream": True},
            timeout=0.5,
        ) if model == "hang" else _read_a_little(http)
    deadline = time.perf_counter() + 5
    while {"cancelled": True} not in world.seen() and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert {"cancelled": True} in world.seen()


def _read_a_little(http: httpx.Client) -> None:
    body = {"model": "endless", "messages": ASK, "stream": True}
    with http.stream("POST", "/v1/chat/completions", json=body) as reply:
        next(reply.iter_lines())
    raise httpx.ReadTimeout("enough")
