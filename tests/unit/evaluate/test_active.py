"""Histories in the order of asking: what is asked depends on what was answered, and on no more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from befit.align.rewards.blind import LongerWins, RandomGuess
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.core.errors import InputError, UnknownComponentError
from befit.evaluate.active import asked
from befit.evaluate.reward import evaluate_reward
from befit.evaluate.schema import PairData, PairRow
from befit.evaluate.trials import Case, Division, Numbered
from befit.features.feature_map import FeatureMap
from befit.testing.rewards import LetterEncoder

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Learns from pairs of a story and a poem alone, and is sure of all others."""

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return False

    def fit(self, train: Population, validation: Population, *, seed: int) -> "Telling":
        return self

    def adapt(self, people: Sequence[Person]) -> Sequence[float]:
        return [float((_sides(person.pairs) * _told(person.pairs)).sum()) for person in people]

    def logits(self, state: float, pairs: Pairs) -> Array:
        found: Array = 3.0 * np.tanh(state) * _sides(pairs)
        return found

    def spread(self, state: float, pairs: Pairs) -> Array:
        return _told(pairs) / (1.0 + abs(state))


def _sides(pairs: Pairs) -> Array:
    names = pairs.texts.names
    return np.array([1.0 if "story" in names[at] else -1.0 for at in pairs.chosen])


def _told(pairs: Pairs) -> Array:
    names = pairs.texts.names
    return np.array([1.0 if "clear" in names[at] else 0.0 for at in pairs.chosen])


def rows(user: str, count: int, liked: str) -> list[PairRow]:
    """Every fourth of someone's pairs tells clearly what they like."""
    other = "poem" if liked == "story" else "story"
    made = []
    for number in range(count):
        way = "clear" if number % 4 == 3 else "dim"
        tag = f"{way} {user} {number}"
        made.append(
            PairRow(user=user, prompt="", chosen=f"A {liked}, {tag}", rejected=f"A {other}, {tag}")
        )
    return made


def division(flipped: frozenset[int] = frozenset()) -> Division:
    """One person of 12 pairs in the pool; of the flipped the answer is the other."""
    own = [
        replace(row, chosen=row.rejected, rejected=row.chosen) if at in flipped else row
        for at, row in enumerate(rows("ana", 12, "story"))
    ]
    data = PairData(
        name="made",
        rows=tuple(own),
        licence="",
        digest="",
        rule="",
        shared_items=False,
    )
    numbered = Numbered(data, FeatureMap(LetterEncoder()))
    nobody = Population(texts=numbered.texts, people={})
    case = Case(user="ana", draw=0, support=np.arange(10), query=np.arange(10, 12))
    return Division(
        numbered=numbered, train=nobody, validation=nobody, cases=(case,), seed=0, separated={}
    )


def test_what_tells_most_is_asked_first_and_nothing_is_lost() -> None:
    (case,) = asked(Telling(), division(), "bald", 4).cases
    assert sorted(case.support[:2].tolist()) == [3, 7]
    assert sorted(case.support.tolist()) == list(range(10))
    assert case.query.tolist() == [10, 11]


def test_answers_that_were_not_asked_for_are_not_seen() -> None:
    (plain,) = asked(Telling(), division(), "d-optimal", 3).cases
    unasked = frozenset(plain.support[3:].tolist())
    (turned,) = asked(Telling(), division(unasked), "d-optimal", 3).cases
    assert turned.support[:3].tolist() == plain.support[:3].tolist()


def test_a_method_without_doubts_cannot_choose() -> None:
    with pytest.raises(InputError, match="how unsure"):
        asked(RandomGuess().fit(_nobody(), _nobody(), seed=0), division(), "bald", 2)


def _nobody() -> Population:
    return division().train


def test_chosen_questions_find_out_sooner_and_the_table_says_by_how_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = {
        "default": Telling(),
        "user-blind": RandomGuess(),
        "longer-wins": LongerWins(),
        "random": RandomGuess(),
    }
    for module in ("reward", "running"):
        monkeypatch.setattr(f"befit.evaluate.{module}.method_named", methods.__getitem__)
    path = tmp_path / "made.jsonl"
    path.write_text(
        "\n".join(
            f'{{"user": "u{n}", "prompt": "", "chosen": "{r.chosen}", "rejected": "{r.rejected}"}}'
            for n in range(18)
            for r in rows(f"u{n}", 24, "story" if n % 2 else "poem")
        )
    )
    result = evaluate_reward(
        pairs=path, shots=(0, 1, 2, 4, 8), seeds=1, active=("all",), created=NOW
    )
    chosen = result.find("made", "default+bald", 1, "accuracy")
    drawn = result.find("made", "default", 1, "accuracy")
    needed = result.find("made", "default+bald", 1, "questions_to_match")
    assert chosen is not None
    assert drawn is not None
    assert needed is not None
    assert chosen.value > 0.9 > drawn.value + 0.1  # in few draws nobody could be asked clearly
    assert 2.0 < needed.lo <= needed.value <= needed.hi <= 8.0
    assert result.find("made", "default+bald", 8, "questions_to_match") is None
    assert {"default+bald", "default+d-optimal", "default+pref"} <= {r.method for r in result.rows}
    assert result.find("made", "user-blind+bald", 1, "accuracy") is None


def test_an_unknown_rule_is_named_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UnknownComponentError) as caught:
        evaluate_reward(pairs=tmp_path / "none.jsonl", active=("bold",), created=NOW)
    assert caught.value.field == "active"
