"""On real texts: the readers of PrefEval and LoCoMo, and what the suites make of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from befit.evaluate.memory.corpora import locomo, ordinary_turns, personalens, prefeval
from befit.evaluate.memory.detection import detection_scores
from befit.evaluate.memory.methods import Bm25
from befit.evaluate.memory.retrieval import DISTRACTORS, prefeval_scores, relevance_scores
from befit.evaluate.memory.scores import summarised

pytestmark = pytest.mark.data


class Guess:
    """A reader that understands nothing, and keeps what it was handed."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[str], Sequence[str]]] = []

    def by_stance(self, texts: Sequence[str], options: Sequence[str]) -> float:
        self.asked.append((texts, options))
        return 1.0 / len(options)


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
        rows = summarised("bm25", prefeval_scores(memory, 8, 0, Guess()))  # type: ignore[arg-type]
    for form in ("prefeval", "prefeval-choice", "prefeval-persona"):
        found = [row for row in rows if (row.data, row.metric) == (form, "prefeval_top5")]
        values = [row.value for row in found]
        assert [row.shots for row in found] == list(DISTRACTORS)
        assert values == sorted(values, reverse=True)
        assert values[0] == 1.0 or form == "prefeval-persona"
    chosen = [row for row in rows if row.metric == "prefeval_choice"]
    assert {row.value for row in chosen} == {0.25}


def test_the_reader_is_handed_what_was_recalled_and_the_right_option_first(tmp_path: Path) -> None:
    guess = Guess()
    with Bm25().open(tmp_path) as memory:
        list(prefeval_scores(memory, 2, 0, guess))  # type: ignore[arg-type]
    options = {case.options for case in prefeval()}
    assert guess.asked
    assert all(given in options and 0 < len(texts) <= 5 for texts, given in guess.asked)


def test_the_turn_that_shows_a_preference_is_one_of_the_dialogue() -> None:
    shown = [case for case in prefeval() if case.shown]
    assert len(shown) > 500
    assert all(case.shown in case.persona for case in shown)


def test_people_of_personalens_have_sentences_and_answers() -> None:
    people = personalens()
    assert len(people) > 20
    assert all(len(each.told) > 20 and len(each.affinities) > 20 for each in people)


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
