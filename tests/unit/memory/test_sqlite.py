"""SqliteMemory: people apart, time, scope, recall, forgetting with proof, many processes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from befit.belief.fold import BayesFold
from befit.core.dialogue import Context, Message
from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Gaussian, Graded, Pair, Preference
from befit.memory.sqlite import SqliteMemory
from befit.memory.store import Store
from befit.testing import check_memory, check_options

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = UserId("ada"), UserId("bob")


def said(
    text: str,
    values: dict[str, float] | None = None,
    *,
    key: str = "",
    user: UserId = ADA,
    days: float = 0,
    scope: str = "",
    pair: Pair | None = None,
) -> Evidence:
    return Evidence(
        id=key or f"{user}-{text}",
        user=user,
        kind=EvidenceKind.STATED,
        at=AT - timedelta(days=days),
        text=text,
        values=values or {},
        scope=scope,
        pair=pair,
    )


def ask(
    prompt: str = "", *, user: UserId = ADA, at: datetime = AT, scope: str = "", quiet: bool = False
) -> Context:
    return Context(
        user=user, messages=(Message("user", prompt),), at=at, scope=scope, incognito=quiet
    )


def beliefs(memory: SqliteMemory, context: Context) -> dict[str, Preference]:
    return {p.dimension: p for p in memory.recall(context).preferences}


@dataclass
class Letters:
    """An encoder that knows letters."""

    name: str = "letters"
    width: int = 26
    asked: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        counts = [[text.lower().count(chr(97 + i)) + 1e-6 for i in range(26)] for text in texts]
        return [[float(x) for x in np.array(row) / np.linalg.norm(row)] for row in counts]


@dataclass
class Lengths:
    """A taste of one coordinate: how much longer the chosen text is."""

    version: str = "1"
    scale: float = 1.0
    asked: int = 0

    @property
    def prior(self) -> Gaussian:
        return Gaussian((0.0,), (1.0,))

    def difference(self, pair: Pair) -> tuple[float, ...]:
        self.asked += 1
        return (self.scale * (len(pair.chosen) - len(pair.rejected)),)

    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian:
        total = sum(w * d for (d,), w in zip(differences, weights, strict=True))
        return Gaussian((total,), (1.0 / (1.0 + sum(weights)),))


@pytest.fixture
def memory(tmp_path: Path) -> SqliteMemory:
    return SqliteMemory(tmp_path / "befit.db")


def test_conforms(memory: SqliteMemory) -> None:
    check_memory(memory)
    check_options(memory)


def test_what_was_said_is_believed_and_kept_as_it_was(memory: SqliteMemory) -> None:
    pair = Pair(prompt="p", chosen="c", rejected="r", weight=0.3)
    full = replace(
        said("keep it short", {"length": -0.8, "topic:tea": 1.0}, scope="work", pair=pair),
        kind=EvidenceKind.BEHAVIOUR,
        noise=0.123456789,
        source="r1",
        by="ai",
        at=AT.replace(microsecond=123457),
        learned=AT.replace(microsecond=123458),
        graded=Graded(prompt="p", text="t", value=0.1, weight=0.2),
    )
    memory.remember([full])
    assert memory.evidence(ADA) == [full]
    found = beliefs(memory, ask(scope="work", at=AT + timedelta(days=1)))
    assert found["length"].mean < -0.5 < 0.5 < found["topic:tea"].mean
    assert found["length"].sources == (full.id,)


def test_a_stranger_has_an_empty_profile(memory: SqliteMemory) -> None:
    profile = memory.recall(ask("hello"))
    assert (profile.preferences, profile.evidence, profile.taste) == ((), (), None)
    assert memory.evidence(ADA) == []
    assert memory.forget(ADA) == 0
    assert memory.recall(ask("hello", user=UserId("\ud800"))).preferences == ()


def test_the_same_evidence_again_counts_once(memory: SqliteMemory) -> None:
    memory.remember([said("short", {"length": -0.8})])
    before = memory.recall(ask())
    memory.remember([said("short", {"length": -0.8})] * 2)
    assert memory.recall(ask()) == before


def test_an_id_of_another_person_takes_nothing_away(memory: SqliteMemory) -> None:
    memory.remember([said("a", {"length": -1.0}, key="x")])
    memory.remember([said("b", {"length": 1.0}, key="x", user=BOB)])
    assert [e.text for e in memory.evidence(BOB)] == ["b"]
    assert beliefs(memory, ask())["length"].mean < 0 < beliefs(memory, ask(user=BOB))["length"].mean


def test_as_of_and_scope(memory: SqliteMemory) -> None:
    memory.remember([said("a", {"length": -0.8}, days=400), said("b", {"length": 0.9}, days=1)])
    memory.remember([said("c", {"length": -0.9}, scope="work")])
    assert beliefs(memory, ask(at=AT - timedelta(days=200)))["length"].mean < 0
    assert beliefs(memory, ask())["length"].mean > 0
    assert beliefs(memory, ask(scope="work"))["length"].mean < 0
    assert beliefs(memory, ask(scope="work"))["length"].scope == "work"


def test_what_was_not_yet_learned_is_not_yet_believed(memory: SqliteMemory) -> None:
    early = replace(said("a", {"length": 0.9}, days=300), learned=AT - timedelta(days=10))
    memory.remember([early, said("b", {"length": -0.8}, days=200)])
    before, after = (beliefs(memory, ask(at=AT - timedelta(days=days))) for days in (20, 9))
    assert before["length"].sources == ("ada-b",)
    assert set(after["length"].sources) == {"ada-a", "ada-b"}
    assert [e.text for e in memory.evidence(ADA)] == ["a", "b"]
    excerpts = [memory.recall(ask("a b", at=AT - timedelta(days=d))).evidence for d in (20, 9)]
    assert early not in excerpts[0]
    assert beliefs(memory, ask(at=AT - timedelta(days=250))) == {}


def test_the_day_gives_the_same_bits_whoever_asked_before(memory: SqliteMemory) -> None:
    memory.remember([said("a", {"length": -0.8}, days=3)])
    morning, night = ask(at=AT.replace(hour=0)), ask(at=AT.replace(hour=23))
    assert memory.recall(morning).preferences == memory.recall(night).preferences


def test_the_version_moves_with_what_is_believed(memory: SqliteMemory) -> None:
    versions = [memory.recall(ask()).version]
    for number in range(3):
        memory.remember([said(f"{number}", {"length": 0.1})])
        versions.append(memory.recall(ask()).version)
    memory.forget(ADA, [f"{ADA}-0"])
    versions.append(memory.recall(ask()).version)
    assert len(set(versions)) == len(versions)


def test_choices_are_read_by_their_style(memory: SqliteMemory) -> None:
    short, long = "Yes, at noon.", "Well, the train leaves the station at noon. " * 12
    for number in range(8):
        pair = Pair(prompt="", chosen=short, rejected=long)
        memory.remember([said("", key=f"{number}", pair=pair)])
    assert beliefs(memory, ask())["length"].mean < -0.2


def test_correct_replaces_a_belief_and_can_be_taken_back(memory: SqliteMemory) -> None:
    memory.remember([said(f"{i}", {"length": 0.9}, days=i + 1) for i in range(20)])
    before = beliefs(memory, ask())
    made = memory.correct(ADA, "length", -0.6, AT)
    assert beliefs(memory, ask())["length"].mean == pytest.approx(-0.6, abs=0.02)
    memory.forget(ADA, [made.id])
    assert beliefs(memory, ask()) == before
    with pytest.raises(InputError) as caught:
        memory.correct(ADA, "lenght", 0.5, AT)
    assert "length" in caught.value.hint


FLIGHTS = "I dislike long flights to far countries"


def test_excerpts_are_those_that_belong_to_the_prompt(memory: SqliteMemory) -> None:
    memory.remember(
        [
            said(FLIGHTS),
            said("I love spicy food"),
            said("My sister lives in Lisbon"),
            said("My flight to Lisbon was late", days=900),
        ]
    )
    found = [e.text for e in memory.recall(ask("Which flights go to Lisbon?")).evidence]
    assert set(found) == {FLIGHTS, "My sister lives in Lisbon", "My flight to Lisbon was late"}
    assert memory.recall(ask("What is the square root of two?")).evidence == ()
    assert memory.recall(ask("")).evidence == ()


def test_excerpts_keep_to_the_budget_the_scope_and_the_day(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "befit.db", budget=30)
    memory.remember([said(f"tea number {n} " + "x" * 40, days=n) for n in range(10)])
    memory.remember([said("tea at work", scope="work"), said("tea later", days=-3)])
    found = [e.text for e in memory.recall(ask("tea?")).evidence]
    assert 1 <= len(found) <= 2
    assert sum(len(text) // 4 + 1 for text in found) <= 30
    assert "tea at work" not in found
    assert "tea later" not in found
    assert "tea at work" in [e.text for e in memory.recall(ask("tea?", scope="work")).evidence]


def test_repeated_words_are_quoted_once(memory: SqliteMemory) -> None:
    memory.remember([said("I drink tea", key=f"{n}") for n in range(50)])
    assert len(memory.recall(ask("tea?")).evidence) == 1


def test_meaning_finds_what_words_do_not(tmp_path: Path) -> None:
    letters = Letters()
    memory = SqliteMemory(tmp_path / "befit.db", encoder=letters)
    memory.remember([said("zzzz zzz"), said("aaaa aa")])
    assert [e.text for e in memory.recall(ask("zz")).evidence] == ["zzzz zzz"]
    letters.asked.clear()
    assert memory.recall(ask("zz", quiet=True)).evidence == ()
    assert letters.asked == []  # an encoder may keep what it is asked, and nothing here may be kept


def test_another_encoder_encodes_anew(tmp_path: Path) -> None:
    path = tmp_path / "befit.db"
    SqliteMemory(path).remember([said("zzzz zzz")])
    first, second = Letters(), Letters("other")
    for letters in (first, second):
        memory = SqliteMemory(path, encoder=letters)
        assert [e.text for e in memory.recall(ask("zz")).evidence] == ["zzzz zzz"]
        assert letters.asked[:2] == ["zzzz zzz", "zz"]
        memory._store.close()
    again = Letters("other")
    SqliteMemory(path, encoder=again).recall(ask("zz"))
    assert again.asked == ["zz"]  # the new vectors were written back


def test_taste_is_the_fold_of_differences(tmp_path: Path) -> None:
    path, taste = tmp_path / "befit.db", Lengths()
    memory = SqliteMemory(path, taste=taste)
    assert memory.recall(ask()).taste == taste.prior
    pair = Pair(prompt="", chosen="long one", rejected="short", weight=0.5)
    memory.remember([said("", key="1", pair=pair)])
    memory.remember([replace(said("", key="2", pair=pair), by="ai")])
    found = memory.recall(ask()).taste
    assert found is not None
    fade = BayesFold().weight(said(""), AT.replace(hour=0) + timedelta(days=1), "")
    assert found.mean == pytest.approx((3 * 0.5 * fade * 1.5,))
    memory.recall(ask("again"))
    assert taste.asked == 2  # made when written, not when recalled
    taste.version, taste.scale = "2", 10.0
    changed = memory.recall(ask()).taste
    assert changed is not None
    assert changed.mean[0] == pytest.approx(10 * found.mean[0])
    assert taste.asked == 4
    memory._store.close()
    other = SqliteMemory(path, taste=taste)
    other._blocks.drop(ADA)
    assert other.recall(ask()).taste == changed
    assert taste.asked == 4  # written back


def test_before_a_reward_was_learned_there_is_no_taste(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "befit.db", taste=Lengths(version=""))
    memory.remember([said("", key="1", pair=Pair(prompt="", chosen="a", rejected="bb"))])
    assert memory.recall(ask()).taste is None


def test_caches_of_other_processes_see_writes_and_deletions(tmp_path: Path) -> None:
    path = tmp_path / "befit.db"
    here, there = SqliteMemory(path), SqliteMemory(path)
    there._shards._stores = [Store(path)]  # what another process would have
    here.remember([said("a", {"length": -0.8}), said("b", {"lists": 0.5})])
    assert there.recall(ask()).preferences == here.recall(ask()).preferences
    here.remember([said("c", {"emoji": -0.8}, days=5)])
    assert there.recall(ask()).preferences == here.recall(ask()).preferences
    assert set(beliefs(there, ask())) == {"length", "lists", "emoji"}
    here.forget(ADA, [f"{ADA}-a"])
    assert set(beliefs(there, ask())) == {"lists", "emoji"}
    here.forget(ADA)
    assert beliefs(there, ask()) == {}
    here.remember([said("d", {"questions": 0.5})])
    assert set(beliefs(there, ask())) == {"questions"}


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "befit.db", cache_bytes=50_000)
    for number in range(60):
        user = UserId(f"u{number}")
        memory.remember([said("word " * 100, {"length": 0.5}, user=user)])
        assert "length" in beliefs(memory, ask(user=user))
    assert memory._blocks._used <= 50_000
    assert "length" in beliefs(memory, ask(user=UserId("u0")))


evidence = st.builds(
    lambda text, value, days, key: said(text, {"length": value}, days=days, key=key),
    st.sampled_from(("tea", "coffee and cake", "")),
    st.floats(-1, 1),
    st.floats(0, 300),
    st.integers(0, 30).map(str),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(evidence, max_size=8, unique_by=lambda e: e.id), st.data())
def test_forgetting_equals_never_having_known(
    tmp_path_factory: pytest.TempPathFactory, given_: list[Evidence], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("forget")
    gone = {e.id for e in given_ if data.draw(st.booleans())}
    knew, never = SqliteMemory(folder / "knew.db"), SqliteMemory(folder / "never.db")
    knew.remember(given_)
    knew.recall(ask("tea"))
    assert knew.forget(ADA, sorted(gone)) == len(gone)
    never.remember([e for e in given_ if e.id not in gone])
    left, right = knew.recall(ask("tea")), never.recall(ask("tea"))
    assert (left.preferences, left.evidence) == (right.preferences, right.evidence)
    for memory in (knew, never):
        memory._store.close()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"id": ""}, "id"),
        ({"user": ""}, "user"),
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001
        ({"noise": 0.0}, "noise"),
        ({"noise": float("nan")}, "noise"),
        ({"values": {"length": float("nan")}}, "values.length"),
        ({"values": {"length": 1.5}}, "values.length"),
        ({"text": "\ud800"}, "text"),
        ({"learned": datetime(2026, 1, 1)}, "learned"),  # noqa: DTZ001
        ({"learned": AT - timedelta(days=1)}, "at"),
        ({"origin": "rumour"}, "origin"),
        ({"graded": Graded(prompt="", text="a", value=1.1)}, "graded.value"),
        ({"graded": Graded(prompt="", text="a", value=float("nan"))}, "graded.value"),
        ({"graded": Graded(prompt="", text="a", value=1.0, weight=0.0)}, "graded.weight"),
        ({"graded": Graded(prompt="\ud800", text="a", value=1.0)}, "text"),
        ({"pair": Pair(prompt="", chosen="a", rejected="b", weight=0.0)}, "pair.weight"),
    ],
)
def test_evidence_that_makes_no_sense_is_refused_and_nothing_kept(
    memory: SqliteMemory, change: dict[str, object], name: str
) -> None:
    with pytest.raises(InputError) as caught:
        memory.remember([said("good"), replace(said("bad"), **change)])  # type: ignore[arg-type]
    assert caught.value.field == name
    assert memory.evidence(ADA) == []
