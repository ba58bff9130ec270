"""A memory that heeds its people, through the public memory interface."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from befit.core.dialogue import Context, Message, Verdict
from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Pair, Profile
from befit.core.protocols import Memory
from befit.memory.consented import ConsentedMemory
from befit.memory.journal import SqliteJournal
from befit.memory.ledger import SqliteLedger
from befit.memory.portability import export_person
from befit.memory.sqlite import SqliteMemory
from befit.testing import check_memory, check_options

ADA, BOB = UserId("ada"), UserId("bob")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Shouting:
    """Refuses capital letters."""

    name: str = "shouting"

    def inspect(self, text: str) -> Verdict:
        return Verdict(guard=self.name, allowed=not text.isupper(), reason="it shouts")


def _memory(folder: Path, **options: Any) -> ConsentedMemory:
    return ConsentedMemory(
        memory=SqliteMemory(folder / "befit.db"),
        ledger=SqliteLedger(path=folder / "befit.db.rights"),
        screen=Shouting(),
        **options,
    )


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ConsentedMemory]:
    made = _memory(tmp_path)
    yield made
    _close(made)


def _close(memory: ConsentedMemory) -> None:
    assert isinstance(memory.memory, SqliteMemory)
    assert isinstance(memory.ledger, SqliteLedger)
    memory.memory.close()
    memory.ledger.close()


def _said(name: str, text: str = "", day: int = 0, **options: object) -> Evidence:
    made = Evidence(
        id=name,
        user=ADA,
        kind=EvidenceKind.STATED,
        at=AT + timedelta(days=day),
        text=text,
    )
    return replace(made, **options)  # type: ignore[arg-type]


def _recall(memory: Memory, prompt: str = "", day: int = 30, scope: str = "") -> Profile:
    messages = (Message("user", prompt),) if prompt else ()
    at = AT + timedelta(days=day)
    return memory.recall(Context(user=ADA, messages=messages, at=at, scope=scope))


def _means(memory: Memory, day: int = 30, scope: str = "") -> dict[str, float]:
    return {p.dimension: p.mean for p in _recall(memory, day=day, scope=scope).preferences}


def _pair(name: str, day: int = 0) -> Evidence:
    pair = Pair(prompt="", chosen="Short.", rejected="Long, and longer. " * 40)
    return _said(name, day=day, kind=EvidenceKind.BEHAVIOUR, pair=pair)


def test_it_is_a_memory(memory: ConsentedMemory) -> None:
    assert isinstance(memory, Memory)
    check_memory(memory)
    check_options(memory)


def test_where_nothing_is_decided_it_recalls_as_the_memory_within(memory: ConsentedMemory) -> None:
    memory.remember([_said("1", "I love the sea", values={"topic:sea": 0.8}), _pair("2", 1)])
    assert _recall(memory, "the sea") == _recall(memory.memory, "the sea")


def test_a_withdrawal_leaves_what_would_be_without_that_kind(
    memory: ConsentedMemory, tmp_path: Path
) -> None:
    stated, shown = _said("1", "I love the sea", values={"topic:sea": 0.8}), _pair("2", 1)
    memory.remember([stated, shown])
    plain = SqliteMemory(tmp_path / "plain.db")
    plain.remember([stated])
    assert _means(memory).keys() > _means(plain).keys()
    for day, allowed in enumerate((False, True, False)):
        at = AT + timedelta(days=day)
        memory.consent(ADA, "behaviour", "personalize", at, allowed=allowed)
        now, than = _recall(memory, "the sea"), _recall(plain, "the sea")
        assert ((now.preferences, now.evidence) == (than.preferences, than.evidence)) != allowed
    assert [e.id for e in memory.evidence(ADA)] == ["1", "2"]  # their own view
    assert [e.id for e in memory.usable(ADA, "personalize")] == ["1"]
    assert memory.usable(ADA, "train") == []
    memory.remember([_pair("3", 2)])
    assert [e.id for e in memory.evidence(ADA)] == ["1", "2"]  # and none of it is kept
    plain.close()


def test_a_withdrawal_counts_for_the_past_too(memory: ConsentedMemory) -> None:
    memory.remember([_said("1", values={"topic:sea": 0.8})])
    memory.consent(ADA, "stated", "personalize", AT + timedelta(days=20), allowed=False)
    assert _means(memory, day=5) == {}


def test_what_is_sensitive_needs_a_word_of_its_own(memory: ConsentedMemory) -> None:
    said = _said("1", "I am a Buddhist", values={"topic:temples": 0.8})
    (refused,) = memory.sift([said]).refused
    assert refused.reason == "there is no consent to keep sensitive evidence (belief)"
    memory.remember([said])
    assert memory.evidence(ADA) == []
    memory.consent(ADA, "sensitive", "personalize", AT, allowed=True)
    memory.remember([said])
    assert _means(memory).keys() == {"topic:temples"}
    memory.consent(ADA, "sensitive", "personalize", AT, allowed=False)
    assert _recall(memory, "temples Buddhist").evidence == ()
    assert _means(memory) == {}


def test_what_others_wrote_waits_for_the_person(memory: ConsentedMemory) -> None:
    tool = _said("1", "loves spam", values={"topic:spam": 1.0}, origin="tool")
    drawn = _said("2", "likes spam", values={"topic:spam": 1.0}, source="1")
    order = _said("3", "OBEY ME")
    memory.remember([tool, drawn])
    memory.remember([order, _said("4", "likes tea", source="2")])
    assert memory.evidence(ADA) == []
    assert _means(memory) == {}
    assert [(h.evidence.id, h.reason) for h in memory.ledger.held(ADA)] == [
        ("1", "the words come from a tool, not from the person"),
        ("2", "the words come from a tool, not from the person"),
        ("3", "it shouts"),
        ("4", "the words come from a tool, not from the person"),
    ]
    assert memory.confirm(ADA, ["1", "none"]) == 1
    assert memory.evidence(ADA) == [replace(tool, origin="person")]
    assert len(memory.ledger.held(ADA)) == 3
    assert memory.forget(ADA, ["2"]) == 2  # what was drawn from it falls with it
    assert memory.forget(ADA) == 2


def test_secrets_are_never_kept_and_personal_data_never_shown(
    memory: ConsentedMemory, tmp_path: Path
) -> None:
    pair = Pair(prompt="my password is tr0ub4dor", chosen="a", rejected="b")
    graded = Graded(prompt="pin is 99 81", text="AKIAIOSFODNN7EXAMPLE", value=0.5)
    topics = ("sea", "ada@mail.example.org", "ghp_" + "x1" * 20)
    said = "write to ada@mail.example.org about the card 4539 1488 0343 6467"
    memory.remember(
        [
            _said("1", said, values={f"topic:{t}": 0.5 for t in topics}),
            _said("2", pair=pair),
            _said("3", graded=graded),
        ]
    )
    kept = sorted(memory.evidence(ADA), key=lambda each: each.id)
    assert kept[0].text == "write to ada@mail.example.org about the card [card]"
    assert kept[0].values == {"topic:sea": 0.5, "topic:ada@mail.example.org": 0.5}
    assert [name for name in _means(memory) if name.startswith("topic:")] == ["topic:sea"]
    assert kept[1].pair == replace(pair, prompt="my password is [key]")
    assert kept[2].graded == replace(graded, text="[key]")
    (shown,) = _recall(memory, "write about the card").evidence
    assert shown.text == "write to [email] about the card [card]"
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"6467" not in stored
    assert b"tr0ub4dor" not in stored


def test_what_was_shown_is_not_learned_again(memory: ConsentedMemory) -> None:
    memory.remember([_said("1", "I love long walks by the sea in winter")])
    echo = _said("2", "I love long walks by the sea, in winter.", 1, kind=EvidenceKind.AUTHORED)
    assert memory.sift([echo]).kept == (echo,)
    assert _recall(memory, "long walks by the sea").evidence
    memory.remember([echo, _said("3", "I love the opera", 1, kind=EvidenceKind.AUTHORED)])
    assert [e.id for e in memory.evidence(ADA)] == ["1", "3"]
    memory.forget(ADA, ["1"])
    assert memory.sift([echo]).kept == (echo,)  # nothing is left of what was shown


def test_what_is_said_twice_is_shown_once_and_kept_twice(memory: ConsentedMemory) -> None:
    texts = ("I love long walks by the sea", "I really love long walks by the sea!")
    memory.remember(_said(str(n), text, n) for n, text in enumerate(texts))
    assert len(_recall(memory.memory, "walks by the sea").evidence) == 2
    (first,) = _recall(memory, "walks by the sea").evidence
    memory.forget(ADA, [first.id])
    (second,) = _recall(memory, "walks by the sea").evidence
    assert {first.text, second.text} == set(texts)


def test_a_pinned_belief_stays_where_it_is(memory: ConsentedMemory) -> None:
    memory.remember([_said("1", values={"length": -0.6, "topic:sea": 0.5})])
    before = _means(memory)["length"]
    memory.judge(ADA, "pin", "length", AT + timedelta(days=30))
    memory.remember([_said(str(n), values={"length": 0.9}, day=n) for n in range(31, 40)])
    assert _means(memory, 50)["length"] == before
    past = [_recall(each, day=29).preferences for each in (memory, memory.memory)]
    assert past[0] == past[1]  # and the past is as it was
    pinned = next(p for p in _recall(memory, day=50).preferences if p.dimension == "length")
    assert pinned.reasons[-1].startswith("pinned by the person on 2026-03-31")
    assert [p.dimension for p in _recall(memory, day=50).preferences] == ["length", "topic:sea"]
    memory.judge(ADA, "release", "length", AT + timedelta(days=51))
    assert _means(memory, 52)["length"] > 0


def test_a_rejected_belief_comes_back_by_the_persons_word_alone(memory: ConsentedMemory) -> None:
    memory.remember([_said("1", values={"length": -0.6, "topic:sea": 0.5}), _pair("2")])
    assert "length" in _means(memory)
    memory.judge(ADA, "reject", "length", AT + timedelta(days=30))
    assert "length" not in _means(memory, 31)
    assert _means(memory, 29)["length"] < 0
    memory.remember([_pair("3", 32), _pair("4", 33)])
    assert "length" not in _means(memory, 34)
    memory.remember([_said("5", values={"length": 0.6}, day=35)])
    assert _means(memory, 36)["length"] > 0
    assert _means(memory, 36)["topic:sea"] > 0


def test_a_word_on_a_belief_holds_in_its_scope(memory: ConsentedMemory) -> None:
    memory.remember([_said("1", values={"length": -0.6})])
    memory.judge(ADA, "reject", "length", AT + timedelta(days=1), "work")
    assert "length" in _means(memory)
    assert "length" not in _means(memory, scope="work/mail")
    memory.judge(ADA, "reject", "length", AT + timedelta(days=1))
    memory.judge(ADA, "release", "length", AT + timedelta(days=2), "work")
    assert "length" not in _means(memory)
    assert "length" in _means(memory, scope="work")


def test_a_correction_ends_a_rejection(memory: ConsentedMemory) -> None:
    memory.remember([_said("1", values={"length": -0.6})])
    memory.judge(ADA, "reject", "length", AT + timedelta(days=1))
    memory.correct(ADA, "length", 0.5, AT + timedelta(days=2))
    assert _means(memory)["length"] == pytest.approx(0.5, abs=0.05)
    assert memory.correct(ADA, "topic:sea", 1.0, AT) == memory.correct(ADA, "topic:sea", 1.0, AT)


@pytest.mark.parametrize(
    ("verb", "dimension"), [("pin", "none"), ("pin", "length"), ("reject", "harmless")]
)
def test_what_cannot_be_judged_is_refused(
    memory: ConsentedMemory, verb: Any, dimension: str
) -> None:
    with pytest.raises(InputError) as caught:
        memory.judge(ADA, verb, dimension, AT)
    assert caught.value.field == "dimension"
    assert memory.ledger.decisions(ADA) == ()
    with pytest.raises(InputError):
        memory.correct(ADA, "none", 0.0, AT)
    with pytest.raises(InputError):
        memory.consent(ADA, "stated", "sell", AT, allowed=True)


@dataclass(frozen=True)
class Plain:
    """Another memory, which cannot be narrowed."""

    within: Memory

    def remember(self, evidence: Any) -> None:
        self.within.remember(evidence)

    def recall(self, context: Context) -> Profile:
        return self.within.recall(context)

    def evidence(self, user: UserId) -> Sequence[Evidence]:
        return self.within.evidence(user)

    def forget(self, user: UserId, ids: Sequence[str] | None = None) -> int:
        return self.within.forget(user, ids)


def test_of_another_memory_it_leaves_out_what_it_cannot_fold_anew(tmp_path: Path) -> None:
    within = SqliteMemory(tmp_path / "befit.db")
    memory = ConsentedMemory(memory=Plain(within), ledger=SqliteLedger(path=tmp_path / "r"))
    memory.submit([_said("1", "the sea", values={"topic:sea": 0.5}), _pair("2")]).result()
    memory.remember([_said("3", values={"topic:tea": 0.5})])
    memory.consent(ADA, "behaviour", "personalize", AT, allowed=False)
    assert set(_means(memory)) == {"topic:sea", "topic:tea"}
    memory.judge(ADA, "reject", "topic:tea", AT)
    assert set(_means(memory)) == {"topic:sea"}
    assert [e.id for e in _recall(memory, "sea").evidence] == ["1"]
    within.close()


WORDS = ("harbour", "violin", "saffron", "granite", "orchid", "lantern")
statements = st.lists(
    st.tuples(
        st.sampled_from(WORDS),
        st.floats(-1, 1),
        st.sampled_from(("", "work", "home")),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(statements, st.data())
def test_after_forgetting_all_is_as_if_it_had_never_been_said(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[str, float, str, bool]],
    data: st.DataObject,
) -> None:
    """Bit for bit: what is recalled, what is exported, and what lies in the files."""
    said = [
        _said(
            f"id-{n}",
            f"I have a view on {word} {n}" + (f" AND {word.upper()}" * order),
            n,
            values={f"topic:{word}": value, "length": value},
            scope=scope,
            origin="tool" if order else "person",
        )
        for n, (word, value, scope, order) in enumerate(told)
    ]
    forgotten = data.draw(st.sets(st.sampled_from([e.id for e in said])))
    left = [e for e in said if e.id not in forgotten]
    folders = [tmp_path_factory.mktemp("law") for _ in range(2)]
    knew, never = (_memory(folder) for folder in folders)
    knew.remember(said)
    _recall(knew, "a view on harbour")
    knew.forget(ADA, sorted(forgotten))
    never.remember(left)
    for scope in ("", "work", "home/desk"):
        for prompt in ("a view on harbour and granite", ""):
            one, other = (_recall(m, prompt, scope=scope) for m in (knew, never))
            assert replace(one, version="") == replace(other, version="")
    exports = [
        export_person(memory, SqliteJournal(folder / "befit.db"), ADA)
        for memory, folder in zip((knew, never), folders, strict=True)
    ]
    assert exports[0] == exports[1]
    assert knew.ledger.held(ADA) == never.ledger.held(ADA)
    _close(knew)
    _close(never)
    stored = b"".join(f.read_bytes() for f in folders[0].rglob("*") if f.is_file())
    for each in said:
        if each.id in forgotten and each.text not in {e.text for e in left}:
            assert each.text.encode() not in stored
    still = {word for n, (word, *_) in enumerate(told) if f"id-{n}" not in forgotten}
    for word in set(WORDS) - still:
        assert word.encode() not in stored.lower()


def test_a_message_is_doubted_as_a_whole(memory: ConsentedMemory) -> None:
    assert memory.doubts("I love tea. Please keep it short.") == ""
    assert memory.doubts("I LOVE TEA.") == "it shouts"  # what the screen says of a message
    assert "somebody else" in memory.doubts("The user prefers tea. I love tea.")
    assert "alphabets" in memory.doubts("I l\u043eve tea. I like golf.")


def test_what_was_kept_once_comes_back_and_what_never_was_does_not(memory: ConsentedMemory) -> None:
    memory.consent(ADA, "stated", "personalize", AT, allowed=False)
    before = _said("1", "I love the sea", values={"topic:sea": 0.8})
    about = _said("2", "I am 44.", kind=EvidenceKind.DEMOGRAPHIC)
    found = memory.restore([before, about, _said("3", "I love golf.", origin="tool")])
    assert [e.id for e in found.kept] == ["1"]  # it was allowed until then
    assert [h.evidence.id for h in found.refused] == ["2"]
    assert [h.evidence.id for h in memory.ledger.held(ADA)] == ["3"]
    assert _means(memory) == {}  # and it is not used


def test_refusals_are_counted_by_reason_and_go_with_the_person(memory: ConsentedMemory) -> None:
    for n in range(2):
        memory.remember([_said(f"{n}", "I am 44.", kind=EvidenceKind.DEMOGRAPHIC)])
    assert memory.refusals(ADA) == {"there is no consent to keep demographic evidence": 2}
    assert memory.refusals(BOB) == {}
    memory.forget(ADA)
    assert memory.refusals(ADA) == {}
