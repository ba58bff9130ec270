"""Two people in one store, whatever they do, and a third who never did what one of them takes back.

The whole stack as the application builds it: memory, ledger, journal, artifacts. After every step
each person sees only what is theirs; a twin who was never told what somebody forgot is, bit for
bit, in the same state.
"""

import json
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from befit.app.importing import take_over
from befit.app.rights import heeding, heeding_journal
from befit.core.artifact import Artifact
from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.feedback import Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Origin, Profile
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.forgetting import Part, forget_part
from befit.memory.journal import SqliteJournal
from befit.memory.portability import export_person
from befit.memory.portable_rights import export_rights
from befit.memory.sealed import SealedMemory, vault_at
from befit.memory.sqlite import SqliteMemory

AT = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = (UserId("ada-7q"), UserId("bob-7q"))
TOPICS = ("jazz", "golf", "tea")


class Side:
    """One store with all that lies beside it."""

    def __init__(self, *, sealed: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        path = self.folder / "befit.db"
        kind: Any = SealedMemory if sealed else SqliteMemory
        self.memory = heeding(kind(path=path, space="style"), {"path": str(path)})
        self.journal = heeding_journal(SqliteJournal(path=path), self.memory)
        self.artifacts = SqliteArtifacts(path=path)

    def export(self, user: UserId) -> dict[str, Any]:
        kept = export_person(self.memory, self.journal, user)
        return kept | export_rights(self.memory.ledger, user)

    def recall(self, user: UserId) -> Profile:
        asked = (Message("user", "jazz, golf or tea?"),)
        at = AT + timedelta(days=400)
        return self.memory.recall(Context(user=user, messages=asked, at=at))

    def close(self) -> None:
        within: Any = self.memory.memory
        within.close()
        ledger: Any = self.memory.ledger
        ledger.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Tenants(RuleBasedStateMachine):
    """Keeps beside the store what each person did and has not taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[str, UserId, Any]] = []
        self.count = 0
        self.sealed = False

    @initialize(sealed=st.booleans())
    def begin(self, sealed: bool) -> None:
        self.sealed = sealed
        self.side = Side(sealed=sealed)

    @rule(
        user=st.sampled_from(PEOPLE),
        topic=st.sampled_from(TOPICS),
        value=st.sampled_from([-1.0, 0.7]),
        day=st.integers(0, 300),
        origin=st.sampled_from(["person", "person", "person", "tool"]),
        waiting=st.booleans(),
    )
    def say(
        self,
        user: UserId,
        topic: str,
        value: float,
        day: int,
        origin: Origin,
        waiting: bool,
    ) -> None:
        self.count += 1
        said = Evidence(
            id=f"{user}-{self.count}",
            user=user,
            kind=EvidenceKind.STATED,
            at=AT + timedelta(days=day),
            text=f"{user} says something of {topic}, the {self.count}th",
            values={f"topic:{topic}": value, "length": -value},
            origin=origin,
        )
        written = self.side.memory.submit([said])  # in the queue when the next step comes
        if waiting:
            written.result()
        self.done.append(("say", user, said))

    @rule(user=st.sampled_from(PEOPLE), topic=st.sampled_from(TOPICS))
    def talk(self, user: UserId, topic: str) -> None:
        self.count += 1
        at = AT + timedelta(days=self.count)
        asked = Context(user=user, messages=(Message("user", f"{user} asks of {topic}"),), at=at)
        answer = Response(
            id=f"{user}-turn-{self.count}",
            text=f"So much on {topic}.",
            draft=Draft(text="", policy="toy"),
            verdicts=(),
        )
        turn = Interaction(context=asked, response=answer)
        journal: Any = self.side.journal
        journal.submit(turn)  # in the queue when the next step comes
        self.done.append(("talk", user, turn))

    @rule(
        user=st.sampled_from(PEOPLE),
        kind=st.sampled_from(["stated", "behaviour"]),
        allowed=st.booleans(),
    )
    def consent(self, user: UserId, kind: str, allowed: bool) -> None:
        if kind == "stated":  # what is said while it is not allowed is not kept; so allow training
            kind, purpose = "stated", "evaluate"
        else:
            purpose = "train"
        at = AT + timedelta(days=self.count)
        self.side.memory.consent(user, kind, purpose, at, allowed=allowed)
        self.done.append(("consent", user, (kind, purpose, at, allowed)))

    @rule(user=st.sampled_from(PEOPLE), topic=st.sampled_from(TOPICS))
    def reject(self, user: UserId, topic: str) -> None:
        at = AT + timedelta(days=self.count)
        self.side.memory.judge(user, "reject", f"topic:{topic}", at)
        self.done.append(("reject", user, (f"topic:{topic}", at)))

    @rule(user=st.sampled_from(PEOPLE))
    def learn(self, user: UserId) -> None:
        self.count += 1
        folder = self.side.folder / f"learned-{self.count}"
        folder.mkdir()
        (folder / "weights").write_text(f"of {user}", "utf-8")
        made = Artifact(
            id=f"{user}-{self.count}", kind="adapter", owner=user, base="toy", at=AT, metrics={}
        )
        self.side.artifacts.put(made, folder)
        self.side.artifacts.promote(made.id)
        shutil.rmtree(folder)

    @rule(user=st.sampled_from(PEOPLE))
    def forget_everything(self, user: UserId) -> None:
        self.side.memory.forget(user)
        self.side.journal.erase(user)
        self.side.artifacts.erase(user)
        self.done = [each for each in self.done if each[1] != user]
        assert self.side.artifacts.active(user, "adapter") is None
        names = [path.name for path in self.side.folder.rglob("*")]
        assert not [name for name in names if name.startswith(user)]

    @rule(user=st.sampled_from(PEOPLE), topic=st.sampled_from(TOPICS))
    def forget_a_topic(self, user: UserId, topic: str) -> None:
        part = Part(topic=topic)
        self._forget(user, part)
        self.done = [
            (what, who, each)
            for what, who, each in self.done
            if not (what == "reject" and who == user and topic in each[0])
        ]

    @precondition(lambda self: any(what == "say" for what, _, _ in self.done))
    @rule(data=st.data())
    def forget_one_thing(self, data: st.DataObject) -> None:
        said = [each for what, _, each in self.done if what == "say"]
        one = data.draw(st.sampled_from(said))
        self._forget(one.user, Part(ids=(one.id,)))

    def _forget(self, user: UserId, part: Part) -> None:
        side = self.side
        forget_part(side.memory, side.journal, side.artifacts, user, part)
        gone = [e for what, who, e in self.done if what == "say" and who == user and part.holds(e)]
        self.done = [
            (what, who, each)
            for what, who, each in self.done
            if not (what == "say" and each in gone)
            and not (what == "talk" and who == user and part.said_in(each, gone))
        ]

    @rule(user=st.sampled_from(PEOPLE))
    def take_out_and_in(self, user: UserId) -> None:
        out = json.loads(json.dumps(self.side.export(user)))
        mine = [each for each in self.done if each[1] == user and each[0] != "talk"]
        self.forget_everything(user)
        take_over(self.side.memory, out, "befit", None, AT + timedelta(days=500))
        again = json.loads(json.dumps(self.side.export(user)))
        assert {**again, "interactions": []} == {**out, "interactions": []}
        self.done += mine

    @precondition(lambda self: self.sealed)
    @rule()
    def rotate(self) -> None:
        vault_at(self.side.folder / "befit.db.keys", "").rotate()

    @invariant()
    def nobody_sees_another(self) -> None:
        if not hasattr(self, "side"):
            return
        for user, other in (PEOPLE, PEOPLE[::-1]):
            seen = self.side.recall(user)
            shown = json.dumps(self.side.export(user)) + repr(seen)
            assert other not in shown

    @rule()
    def forgetting_is_never_knowing(self) -> None:
        twin = Side(sealed=self.sealed)
        try:
            for what, user, each in self.done:
                self._again(twin, what, user, each)
            for user in PEOPLE:
                assert twin.export(user) == self.side.export(user)
                here, there = self.side.recall(user), twin.recall(user)
                assert here.preferences == there.preferences
                assert here.evidence == there.evidence
                assert here.taste == there.taste
        finally:
            twin.close()

    @staticmethod
    def _again(twin: Side, what: str, user: UserId, each: Any) -> None:
        if what == "say":
            twin.memory.remember([each])
        elif what == "talk":
            twin.journal.record(each)
        elif what == "consent":
            kind, purpose, at, allowed = each
            twin.memory.consent(user, kind, purpose, at, allowed=allowed)
        else:
            twin.memory.judge(user, "reject", *each)

    def teardown(self) -> None:
        if hasattr(self, "side"):
            self.forgetting_is_never_knowing()
            self.side.close()


TestTenants = Tenants.TestCase
TestTenants.settings = settings(
    max_examples=25,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
