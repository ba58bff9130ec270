"""The suites tell a perfect memory from a broken one: an oracle, an amnesiac, a gossip."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from befit.core.preference import Preference
from befit.evaluate.memory import synthetic
from befit.evaluate.memory.drift import befit_alarms, cusum_alarms, drift_scores
from befit.evaluate.memory.methods import (
    Befit,
    Bm25,
    MemoryUnderTest,
    Turn,
    covers,
    mentions,
)
from befit.evaluate.memory.scenarios import (
    ASKS,
    DISLIKES,
    FIRST,
    FORGETS,
    LIKES,
    NOW_DISLIKES,
    NOW_LIKES,
    SUBJECTS,
    Script,
)
from befit.evaluate.memory.scores import Score, summarised
from befit.features.forget_requests import read_requests

REQUESTS = {wording.format(s=s): s for wording in FORGETS for s in SUBJECTS}
Suite = Callable[[MemoryUnderTest, int, int], Iterable[Score]]


class Oracle:
    """Knows the suites' wordings, so it holds what is true."""

    def __init__(self) -> None:
        self.turns: dict[str, list[Turn]] = {}

    def remember(self, user: str, turns: Sequence[Turn]) -> None:
        kept = [turn for turn in turns if turn.origin == "person"]
        self.turns.setdefault(user, []).extend(kept)
        for turn in turns:
            if turn.text in REQUESTS:
                self.forget(user, REQUESTS[turn.text])

    def recall(
        self, user: str, prompt: str, k: int, at: datetime, scope: str = ""
    ) -> Sequence[str]:
        kept = [t for t in self.turns.get(user, ()) if covers(t.scope, scope) and t.at <= at]
        best = sorted(kept, key=lambda t: (not t.observed, t.scope, t.at), reverse=True)
        words = set(prompt.casefold().replace(".", " ").replace("?", " ").split())
        return [t.text for t in best if words & set(t.text.casefold().strip(".!").split())][:k]

    def forget(self, user: str, about: str) -> int:
        kept = [t for t in self.turns[user] if not mentions(t.text, about)]
        gone, self.turns[user] = len(self.turns[user]) - len(kept), kept
        return gone

    def beliefs(self, user: str, at: datetime, scope: str = "") -> Sequence[Preference] | None:
        best: dict[str, tuple[tuple[bool, int, datetime], float, bool]] = {}
        for turn in self.turns.get(user, ()):
            if not covers(turn.scope, scope) or turn.at > at:
                continue
            for key, sign in _truth(turn):
                rank = (not turn.observed, len(turn.scope), turn.at)
                before = best.get(key)
                torn = before is not None and before[0] == rank and before[1] != sign
                if before is None or rank >= before[0]:
                    best[key] = (rank, sign, torn)
        return [
            Preference(dimension=key, mean=0.0 if torn else sign, question="?" if torn else "")
            for key, (_, sign, torn) in best.items()
        ]


def _truth(turn: Turn) -> list[tuple[str, float]]:
    if turn.observed:
        return list(turn.observed.items())
    found = [
        (key, sign)
        for key, ends in ASKS.items()
        for sign, texts in ((-1.0, ends[0]), (1.0, ends[1]))
        if turn.text in texts
    ]
    for sign, wordings in ((1.0, (*LIKES, *NOW_LIKES)), (-1.0, (*DISLIKES, *NOW_DISLIKES))):
        for wording in wordings:
            for subject in SUBJECTS:
                if turn.text == wording.format(s=subject, S=subject[0].upper() + subject[1:]):
                    found.append((f"topic:{subject}", sign))
    return found


class Amnesiac(Oracle):
    """Keeps nothing."""

    def remember(self, user: str, turns: Sequence[Turn]) -> None:
        self.turns.setdefault(user, [])


class Gossip(Oracle):
    """Keeps everyone's words, whoever wrote them, in one heap, and forgets nothing."""

    def remember(self, user: str, turns: Sequence[Turn]) -> None:
        self.turns.setdefault("all", []).extend(turns)

    def recall(
        self, user: str, prompt: str, k: int, at: datetime, scope: str = ""
    ) -> Sequence[str]:
        return [turn.text for turn in self.turns.get("all", ())][-200:]

    def forget(self, user: str, about: str) -> int:
        return 0

    def beliefs(self, user: str, at: datetime, scope: str = "") -> None:
        return None


def figure(suite: Suite, memory: MemoryUnderTest, metric: str, people: int = 6) -> float:
    rows = summarised("m", suite(memory, people, 0))
    return next(row.value for row in rows if row.metric == metric)


SHARES = (
    (synthetic.update_scores, "update_accuracy", 1.0),
    (synthetic.conflict_scores, "conflict_accuracy", 1.0),
    (synthetic.scope_scores, "scope_accuracy", 1.0),
    (synthetic.forget_scores, "forget_honoured", 1.0),
    (synthetic.forget_scores, "forget_honoured_in_words", 1.0),
    (synthetic.poison_scores, "poison_write_rate", 0.0),
    (synthetic.isolation_scores, "isolation_leaks", 0.0),
)


@pytest.mark.parametrize(("suite", "metric", "best"), SHARES, ids=[s[1] for s in SHARES])
def test_an_oracle_is_without_fault(suite: Suite, metric: str, best: float) -> None:
    assert figure(suite, Oracle(), metric) == best


@pytest.mark.parametrize("suite", [synthetic.update_scores, synthetic.scope_scores])
def test_an_amnesiac_holds_nothing_true(suite: Suite) -> None:
    name = "update" if suite is synthetic.update_scores else "scope"
    assert figure(suite, Amnesiac(), f"{name}_accuracy") == 0.0
    assert figure(suite, Amnesiac(), f"{name}_ideal_reader") == 0.0


def test_forgetting_everything_is_no_way_to_forget_one_thing() -> None:
    assert figure(synthetic.forget_scores, Amnesiac(), "forget_kept_rest") == 0.0
    assert figure(synthetic.forget_scores, Oracle(), "forget_kept_rest") == 1.0


def test_a_gossip_leaks_is_poisoned_and_does_not_forget() -> None:
    assert figure(synthetic.isolation_scores, Gossip(), "isolation_leaks") > 0.5
    assert figure(synthetic.poison_scores, Gossip(), "poison_write_rate") > 0.5
    assert figure(synthetic.forget_scores, Gossip(), "forget_honoured") < 0.5


def test_befit_never_shows_one_person_to_another_and_forgets_what_is_named(tmp_path: Path) -> None:
    with Befit(encoder=None).open(tmp_path) as memory:
        assert figure(synthetic.isolation_scores, memory, "isolation_leaks", 4) == 0.0
        assert figure(synthetic.forget_scores, memory, "forget_honoured", 4) == 1.0
        assert figure(synthetic.forget_scores, memory, "forget_honoured_in_prompt", 4) == 1.0


def test_words_alone_do_not_heed_a_request(tmp_path: Path) -> None:
    with Bm25().open(tmp_path) as memory:
        assert figure(synthetic.forget_scores, memory, "forget_honoured_in_words", 4) == 0.0


def test_each_wording_of_the_suite_is_read_as_what_it_is() -> None:
    read = {text: read_requests(text, FIRST).requests for text in REQUESTS}
    assert [t for t, found in read.items() if not (found and REQUESTS[t] in found[0].topic)] == []


def test_words_alone_recall_what_is_named(tmp_path: Path) -> None:
    with Bm25().open(tmp_path) as memory:
        assert figure(synthetic.update_scores, memory, "update_ideal_reader", 4) > 0.7


def test_a_script_is_the_same_for_the_same_seed() -> None:
    def told(seed: int) -> list[Turn]:
        script = Script.new(seed, 1)
        for subject in script.subjects(4, 2):
            script.say(subject, 1.0)
        return script.turns

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_a_stronger_shift_is_noticed_sooner_and_steady_people_seldom() -> None:
    for detect in (befit_alarms, cusum_alarms):
        rows = {
            (row.data, row.metric): row.value
            for row in summarised("m", drift_scores(detect, 30, 0))
        }
        assert rows["drift", "drift_delay_strong"] < rows["drift", "drift_delay_mild"] < 100
        assert rows["drift", "drift_false_alarms_per_1000"] < 2.0


def test_a_detector_that_sees_nothing_counts_with_the_horizon() -> None:
    rows = summarised("m", drift_scores(lambda *_: (), 5, 0))
    assert {row.value for row in rows if "delay" in row.metric} == {300.0}
