"""Asked in a chat to forget, the server forgets: in the store, in the journal, and upstream."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from befit.core.people import UserId
from befit.features.forget_conversation import ASKED, SURE

if TYPE_CHECKING:
    from tests.integration.conftest import Build, World

CEM = UserId("cem")
Talk = Callable[..., httpx.Response]


class Chat:
    """One conversation, sent whole with each turn, as clients do."""

    def __init__(self, world: "World", who: str = "cem", **options: Any) -> None:
        self.world, self.who, self.options = world, who, options
        self.messages: list[dict[str, Any]] = []

    def say(self, text: str, **options: Any) -> httpx.Response:
        self.messages.append({"role": "user", "content": text})
        body = {"model": "plain", "messages": self.messages, **self.options, **options}
        with self.world.raw(self.who) as http:
            reply = http.post("/v1/chat/completions", json=body)
        self.messages.append({"role": "assistant", "content": text_of(reply)})
        return reply


def text_of(reply: httpx.Response) -> str:
    if "choices" in reply.text and not reply.text.startswith("data:"):
        return str(reply.json()["choices"][0]["message"]["content"])
    events = [line[6:] for line in reply.text.splitlines() if line.startswith("data: {")]
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events]
    return "".join(delta.get("content", "") for delta in deltas)


def kept(world: "World") -> str:
    turns = world.cycle.journal.read(CEM)
    return repr((world.cycle.memory.evidence(CEM), [t.context for t in turns]))


@pytest.mark.parametrize("stream", [False, True])
def test_a_topic_goes_everywhere_and_no_model_is_asked(world: "World", stream: bool) -> None:
    chat = Chat(world, stream=stream)
    chat.say("I love jazz. Where can I dance?")
    chat.say("Please keep your answers short.")
    asked = len(world.seen())
    reply = chat.say("Please forget that I love jazz.")
    assert reply.headers["x-befit-forgotten"] == "3"  # a statement, and the turns that carry it
    assert reply.headers["x-befit-reason"] == "asked-to-forget"
    assert text_of(reply).startswith("Done.")
    assert len(world.seen()) == asked
    assert "jazz" not in kept(world)
    assert [e.text for e in world.cycle.memory.evidence(CEM)] == ["Please keep your answers short."]
    assert [t.context.prompt for t in world.cycle.journal.read(CEM)] == [
        "Please keep your answers short."
    ]
    later = chat.say("What shall I do tonight?")
    assert "x-befit-forgotten" not in later.headers
    assert "jazz" not in json.dumps(world.seen()[-1]["body"])
    assert "dance" in json.dumps(world.seen()[-1]["body"])
    assert "jazz" not in kept(world)


def test_the_rest_of_a_message_is_answered_without_what_was_forgotten(world: "World") -> None:
    chat = Chat(world)
    chat.say("I love jazz.")
    reply = chat.say("Forget what I said about jazz, and tell me a joke.")
    assert reply.headers["x-befit-forgotten"] == "2"
    assert [m["content"] for m in world.seen()[-1]["body"]["messages"]] == ["tell me a joke."]
    assert [t.context.prompt for t in world.cycle.journal.read(CEM)] == ["tell me a joke."]
    assert "jazz" not in kept(world)


def test_what_is_not_for_memory_is_answered_and_not_kept(world: "World") -> None:
    chat = Chat(world)
    reply = chat.say("I love jazz. Don't remember this.")
    assert reply.headers["x-befit-forgotten"] == "0"
    assert world.seen()[-1]["body"]["messages"][-1]["content"] == "I love jazz."
    assert world.cycle.journal.read(CEM) == []
    assert not world.cycle.memory.evidence(CEM)
    chat.say("And what do you know of me?")
    assert "jazz" not in json.dumps(world.seen()[-1]["body"])


def test_everything_goes_after_a_second_word_alone(world: "World") -> None:
    chat = Chat(world)
    chat.say("I love jazz.")
    reply = chat.say("Forget everything about me.")
    assert text_of(reply).startswith(SURE)
    assert world.cycle.memory.evidence(CEM)
    reply = chat.say("Yes, please.")
    assert reply.headers["x-befit-forgotten"] == "2"
    assert not world.cycle.memory.evidence(CEM)
    assert not world.cycle.journal.read(CEM)
    chat.say("Hello again!")
    assert "jazz" not in json.dumps(world.seen()[-1]["body"])


def test_a_call_of_a_tool_about_it_goes_with_its_result(world: "World") -> None:
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "find", "arguments": '{"q":"jazz"}'},
    }
    messages = [
        {"role": "user", "content": "Where can I go?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "The Blue Note."},
        {"role": "user", "content": "Forget what I said about jazz. Where can I eat?"},
    ]
    with world.raw("cem") as http:
        http.post("/v1/chat/completions", json={"model": "plain", "messages": messages})
    assert [m["content"] for m in world.seen()[-1]["body"]["messages"]] == ["Where can I eat?"]


def test_parts_other_than_text_stay(world: "World") -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    told = {"type": "text", "text": "I love jazz. What is this?"}
    messages = [
        {"role": "user", "content": [told, image]},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": "Forget that I love jazz. And how old?"},
    ]
    with world.raw("cem") as http:
        http.post("/v1/chat/completions", json={"model": "plain", "messages": messages})
    first = world.seen()[-1]["body"]["messages"][0]["content"]
    assert "jazz" not in json.dumps(first)
    assert image in first


def test_an_answer_in_a_fixed_form_is_the_models_who_is_told_no_more(world: "World") -> None:
    chat = Chat(world, response_format={"type": "json_object"})
    chat.say("Please forget that I love jazz.")
    assert [m["content"] for m in world.seen()[-1]["body"]["messages"]] == [ASKED]


def test_a_mention_forgets_nothing(world: "World") -> None:
    chat = Chat(world)
    chat.say("I love jazz.")
    reply = chat.say("Don't forget that I love jazz. Where can I go?")
    assert "x-befit-forgotten" not in reply.headers
    assert len(world.cycle.memory.evidence(CEM)) >= 1
    assert "jazz" in json.dumps(world.seen()[-1]["body"])


def test_it_is_honoured_where_nothing_is_learned_from_turns(build: "Build") -> None:
    world = build(learn_stated=False)
    chat = Chat(world)
    with world.client("cem") as client:
        client.remember("I love jazz.")
    chat.say("Please forget jazz.")
    assert not world.cycle.memory.evidence(CEM)
