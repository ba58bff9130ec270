"""What a server asks next, and what becomes of the answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.app.asking import Asking
from befit.app.client import Client
from befit.app.rights import heeding, heeding_journal
from befit.app.server.keys import KeyStore
from befit.app.server.main import create_app
from befit.app.server.options import ServerOptions
from befit.app.server.upstream import LocalUpstream
from befit.belief.fold import BayesFold
from befit.core.errors import InputError, PermissionDeniedError
from befit.core.people import UserId
from befit.cycle import Cycle
from befit.features.style import measure
from befit.feedback.reactions import ReactionInterpreter
from befit.generate.toy import ToyPolicy
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.journal import SqliteJournal
from befit.memory.spaces import load_space
from befit.memory.sqlite import SqliteMemory
from befit.personalize.prompt import PromptPersonalizer
from befit.values.boundary import Boundary
from tests.integration.conftest import Marked, World, fine, served

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cem(tmp_path: Path) -> Iterator[Client]:
    """Someone of whom nothing is known, on a server that heeds its people and asks them."""
    path, space = tmp_path / "befit.db", load_space("style")
    memory = heeding(SqliteMemory(path=path, space="style"), {"path": str(path)})
    cycle = Cycle(
        memory=memory,
        personalizer=PromptPersonalizer(),
        policy=ToyPolicy(),
        boundary=Boundary(guards=(Marked(),), screens=(Marked(),), probe=fine),
        interpreter=ReactionInterpreter(space=space),
        journal=heeding_journal(SqliteJournal(path=path), memory),
        artifacts=SqliteArtifacts(path=path),
    )
    keys = KeyStore(tmp_path / "keys.db")
    key = keys.create(UserId("cem"), LONG_AGO)
    asking = Asking(
        memory=memory, inferer=BayesFold(), measure=measure, barred=frozenset({"length"})
    )
    upstream = LocalUpstream(policy=ToyPolicy(), model="toy")
    app = create_app(cycle, ServerOptions(model="toy"), keys, upstream, asking=asking)
    with served(app) as url, Client(url, key) as client:
        yield client


def test_questions_are_answered_or_skipped_and_come_to_an_end(cem: Client) -> None:
    seen: list[str] = []
    while (question := cem.next_question()) is not None:
        assert question["gain"] > 0.0
        assert question["text"]
        assert question["answers"] == ["low", "between", "high", "skip"]
        seen.append(question["dimension"])
        cem.answer_question(question["dimension"], "skip" if len(seen) % 2 else "high")
    assert len(seen) == len(set(seen)) > 5
    assert "length" not in seen
    believed = {row["dimension"]: row["mean"] for row in cem.profile()["beliefs"]}
    assert set(believed) == set(seen[1::2])
    assert min(believed.values()) > 0.1


def test_a_choice_between_two_answers_is_learned_from(cem: Client) -> None:
    pair = cem.next_pair("How can I sleep better?")
    assert pair is not None
    first, second = pair["first"], pair["second"]
    assert first["text"] != second["text"]
    learned = cem.choose(first["response_id"], over=second["response_id"])
    assert [row["pair"]["chosen"] for row in learned["evidence"]] == [first["text"]]


def test_what_cannot_be_said_is_refused(cem: Client) -> None:
    with pytest.raises(InputError, match="no dimension"):
        cem.answer_question("nonsense", "low")
    with pytest.raises(InputError, match="no answer"):
        cem.answer_question("warmth", "perhaps")
    cem.consent("stated", "personalize", allowed=False)
    with pytest.raises(PermissionDeniedError):
        cem.answer_question("warmth", "high")


def test_a_server_without_questions_says_so(world: World) -> None:
    with world.client("cem") as client, pytest.raises(InputError, match="asks nothing"):
        client.next_question()
