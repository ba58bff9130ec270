"""On real texts: the readers of PrefEval and LoCoMo, and what the suites make of them."""

from pathlib import Path

import pytest

from befit.evaluate.memory.corpora import locomo, ordinary_turns, prefeval
from befit.evaluate.memory.detection import detection_scores
from befit.evaluate.memory.methods import Bm25
from befit.evaluate.memory.retrieval import DISTRACTORS, prefeval_scores, relevance_scores
from befit.evaluate.memory.scores import summarised

pytestmark = pytest.mark.data


def test_every_case_has_its_preference_in_all_forms() -> None:
    cases = prefeval()
    assert len(cases) > 500
    assert all(c.preference and c.question and c.choice and c.persona for c in cases)
    assert len({case.topic for case in cases}) == 20


def test_there_are_enough_ordinary_turns_and_none_twice() -> None:
    turns = ordinary_turns()
    assert len(turns) >= max(DISTRACTORS)
    assert len(set(turns)) == len(turns)


def test_the_evidence_of_every_question_is_a_turn() -> None:
    for conversation in locomo():
        names = {name for name, *_ in conversation.turns}
        assert conversation.questions
        assert all(set(evidence) <= names for _, evidence in conversation.questions)
        times = [at for *_, at in conversation.turns]
        assert times == sorted(times)


def test_without_other_turns_the_only_one_is_recalled_and_more_turns_do_not_help(
    tmp_path: Path,
) -> None:
    with Bm25().open(tmp_path) as memory:
        rows = summarised("bm25", prefeval_scores(memory, 8, 0))
    stated = [row.value for row in rows if row.data == "prefeval"]
    assert stated[0] == 1.0
    assert stated == sorted(stated, reverse=True)


def test_a_reader_of_everything_has_all_recall_and_half_precision() -> None:
    rows = {
        (row.data, row.metric): row.value
        for row in summarised("all", detection_scores(bool, 20, 0))
    }
    assert rows["prefeval", "statement_recall"] == 1.0
    assert rows["prefeval", "statement_precision"] == 0.5
    assert rows["synthetic", "confused_quotation"] == 1.0


def test_who_recalls_whatever_there_is_recalls_it_for_every_question(tmp_path: Path) -> None:
    with Bm25().open(tmp_path) as memory:
        (row,) = summarised("bm25", relevance_scores(memory, 5, 0))
    assert (row.metric, row.value, row.people) == ("over_personalized", 1.0, 5)
