"""A person's own routes: believe, add, take back, take along, erase, react."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from befit.core.errors import (
    AuthenticationError,
    InputError,
    InvalidFeedbackError,
    PermissionDeniedError,
    UnknownResponseError,
)

if TYPE_CHECKING:
    from tests.integration.conftest import Build, World

SECRET = "a secret of enough bytes for the algorithm"


def named(profile: dict[str, Any]) -> dict[str, float]:
    return {row["dimension"]: row["mean"] for row in profile["beliefs"] if abs(row["mean"]) > 0.1}


def test_what_is_said_is_believed_and_what_is_taken_back_is_not(world: "World") -> None:
    with world.client("cem") as cem:
        assert named(cem.profile()) == {}
        made = cem.remember("Please be warm with me.", values={"warmth": 0.9})
        assert made["user"] == "cem"
        profile = cem.profile(why=True)
        assert named(profile)["warmth"] > 0.1
        row = next(row for row in profile["beliefs"] if row["dimension"] == "warmth")
        assert [why["text"] for why in row["why"]] == ["Please be warm with me."]
        assert [e["id"] for e in cem.evidence()] == [made["id"]]
        assert cem.forget(made["id"])["deleted"]
        assert named(cem.profile()) == {}
        with pytest.raises(InputError):
            cem.forget(made["id"])


def test_words_alone_are_read_for_what_they_state(world: "World") -> None:
    with world.client("cem") as cem:
        assert cem.remember("Keep it short, please.")["values"]["length"] < 0


def test_a_profile_can_be_read_as_of_a_day(world: "World") -> None:
    with world.client("ana") as ana:
        assert named(ana.profile())["length"] < 0
        assert named(ana.profile(as_of=datetime.now(UTC) - timedelta(days=30))) == {}
    with world.raw() as http:
        assert http.get("/me/profile", params={"as_of": "2020-01-31"}).json()["beliefs"] == []
        assert http.get("/v1/me/profile", params={"as_of": "yesterday"}).status_code == 400
        assert http.get("/v1/me/profile", params={"why": "perhaps"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": " "}, "text"),
        ({"text": 7}, "text"),
        ({"text": "x", "values": {"nonsense": 1}}, "values.nonsense"),
        ({"text": "x", "values": {"length": 2}}, "values.length"),
        ({"text": "x", "values": {"length": True}}, "values.length"),
        ({"text": "x", "values": []}, "values"),
        ({"text": "x", "kind": "behaviour"}, "kind"),
        ({"text": "x", "at": "soon"}, "as_of"),
        ({"text": "x", "scope": "a\nb"}, "scope"),
    ],
)
def test_senseless_evidence_is_refused(world: "World", body: Any, param: str) -> None:
    before = world.cycle.memory.evidence("ana")  # type: ignore[arg-type]
    with world.raw() as http:
        reply = http.post("/v1/me/evidence", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    assert world.cycle.memory.evidence("ana") == before  # type: ignore[arg-type]


def test_what_is_not_read_is_said(world: "World") -> None:
    with world.client() as ana:
        plain = ana.remember("I prefer short answers.")
        assert plain["values"]["length"] < 0
        assert plain["notes"] == []
        other = ana.remember("Ich mag kurze Antworten und keine langen Listen.")
        assert other["values"] == {}
        assert "English" in other["notes"][0]


def test_reactions_of_every_kind_are_kept(world: "World") -> None:
    with world.client() as ana:
        first, second = ana.respond("Where to?"), ana.respond("Where else?", model="echo")
        assert first.personalized
        assert first.beliefs == ("length",)
        assert ana.rate(first.response_id, 0.9)["kind"] == "rating"
        ana.choose(first.response_id, over=second.response_id)
        ana.edit(first.response_id, "Take the boat.")
        ana.behaved(first.response_id, "copied")
        learned = ana.comment(second.response_id, "Too long, keep it short.")["evidence"]
        assert learned[0]["values"]["length"] < 0
    kinds = {
        turn.response.id: [f.kind for f in turn.feedback] for turn in world.cycle.journal.read()
    }
    assert kinds[first.response_id] == ["rating", "choice", "edit", "behaviour"]
    assert kinds[second.response_id] == ["comment"]


def test_a_streamed_answer_can_be_reacted_to(world: "World") -> None:
    with world.client() as ana:
        stream = ana.stream("Where to?", scope="work")
        pieces = list(stream)
        assert len(pieces) == 3
        assert stream.answer.text == "".join(pieces)
        assert stream.answer.finish == "stop"
        ana.rate(stream.answer.response_id, 1.0)
    (turn,) = world.cycle.journal.read()
    assert (turn.context.scope, turn.response.text) == ("work", stream.answer.text)


def test_nobody_reacts_to_another_persons_response(world: "World") -> None:
    with world.client("ana") as ana, world.client("ben") as ben:
        answer = ana.respond("Where to?")
        with pytest.raises(UnknownResponseError) as others:
            ben.rate(answer.response_id, 1.0)
        with pytest.raises(UnknownResponseError) as nobodys:
            ben.rate("0" * 32, 1.0)
        assert str(others.value).replace(answer.response_id, "0" * 32) == str(nobodys.value)
    with world.raw("ben") as http:
        body = {"response": answer.response_id, "kind": "rating", "value": 1}
        assert http.post("/v1/feedback", json=body).status_code == 404


@pytest.mark.parametrize(
    "value", ["NaN", "1e999", "-0.1", "1.5", '"good"', "true", "null", "1" * 400]
)
def test_a_rating_is_a_number_from_0_to_1(world: "World", value: str) -> None:
    with world.client() as ana:
        answer = ana.respond("Where to?")
    raw = f'{{"response": "{answer.response_id}", "kind": "rating", "value": {value}}}'
    with world.raw() as http:
        headers = {"content-type": "application/json"}
        reply = http.post("/v1/feedback", content=raw, headers=headers)
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert world.cycle.journal.read()[0].feedback == ()


def test_other_senseless_reactions_are_refused(world: "World") -> None:
    with world.client() as ana:
        answer = ana.respond("Where to?")
        with pytest.raises(InvalidFeedbackError):
            ana.edit(answer.response_id, " ")
        with pytest.raises(InvalidFeedbackError):
            ana.behaved(answer.response_id, "copied", -1)
    with world.raw() as http:
        for body in ({}, {"response": "r"}, {"response": "r", "kind": "shrug"}):
            assert http.post("/v1/feedback", json=body).status_code == 400
        strange = {"response": "r", "kind": "rating", "value": 1, "by": "cat"}
        assert http.post("/v1/feedback", json=strange).status_code == 400


def test_a_person_takes_everything_along_and_leaves_nothing(world: "World") -> None:
    with world.client("ana") as ana, world.client("ben") as ben:
        ana.respond("Where to?")
        kept = ben.evidence()
        assert "ana-0" in str(ana.export())
        assert ana.forget()["records"] >= 5
        assert ana.evidence() == []
        assert ana.profile()["beliefs"] == []
        assert ben.evidence() == kept
        assert ana.respond("Where to?").reason == "nothing-known"
        ana.forget(keys=True)
        with pytest.raises(AuthenticationError):
            ana.evidence()


def test_a_service_key_reaches_the_person_that_it_names(world: "World") -> None:
    with world.client("service", user="ana") as named_client:
        assert {e["user"] for e in named_client.evidence()} == {"ana"}
    with world.client("service") as nobody, pytest.raises(InputError, match="nobody"):
        nobody.evidence()
    with world.client("ben", user="ana") as ben, pytest.raises(PermissionDeniedError):
        ben.evidence()


def test_an_id_is_the_same_in_every_place(world: "World") -> None:
    with world.raw("service") as http:
        named = {b"x-litellm-end-user-id": "jos\u00e9".encode()}
        http.post("/v1/me/evidence", json={"text": "I like trains."}, headers=named)
        quoted = http.get("/v1/me/evidence", headers={"x-openwebui-user-id": "jos%C3%A9"})
    assert [(e["user"], e["text"]) for e in quoted.json()["data"]] == [
        ("jos\u00e9", "I like trains.")
    ]


def test_open_webuis_signed_user_is_the_person(build: "Build") -> None:
    world = build(openwebui_secret=SECRET)
    now = datetime.now(UTC).timestamp()
    token = jwt.encode({"sub": "ana", "iss": "open-webui", "exp": now + 120}, SECRET)
    with world.raw("service") as http:
        plain = http.get("/v1/me/evidence", headers={"x-openwebui-user-id": "ana"})
        assert plain.status_code == 400
        signed = http.get("/v1/me/evidence", headers={"x-openwebui-user-jwt": token})
        assert {e["user"] for e in signed.json()["data"]} == {"ana"}
        forged = http.get("/v1/me/evidence", headers={"x-openwebui-user-jwt": token[:-2] + "xx"})
        assert forged.status_code == 401


def test_models_are_listed_with_and_without_the_version(world: "World") -> None:
    with world.raw() as http:
        for path in ("/v1/models", "/models"):
            assert [m["id"] for m in http.get(path).json()["data"]] == ["org/plain"]
            assert http.get(f"{path}/org/plain").json()["id"] == "org/plain"


def test_health_and_numbers_need_no_key_and_name_nobody(world: "World") -> None:
    with world.client() as ana:
        ana.respond("Where to?")
        list(ana.stream("Where to?"))
    assert httpx.get(f"{world.url}/health").json() == {"status": "ok"}
    assert httpx.get(f"{world.url}/health/liveness").status_code == 200
    ready = httpx.get(f"{world.url}/health/readiness").json()
    assert ready == {"status": "ready", "store": "ok", "upstream": "ok"}
    text = httpx.get(f"{world.url}/metrics").text
    assert 'befit_requests_total{route="/chat/completions",status="200"} 2' in text
    assert 'befit_turns_total{outcome="personalized"} 2' in text
    assert "befit_time_to_first_token_seconds_count 1" in text
    assert "befit_overhead_seconds_count 2" in text
    assert "befit_requests_in_flight 1" in text
    assert "ana" not in text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) .+|[a-z_]+(\{[^{}]+\})? [0-9.e+-]+", line)


def test_a_request_keeps_its_id(world: "World") -> None:
    with world.raw() as http:
        assert (
            http.get("/v1/models", headers={"x-request-id": "abc"}).headers["x-request-id"] == "abc"
        )
        made = http.get("/v1/nothing", headers={"x-request-id": "x" * 500}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", made)
