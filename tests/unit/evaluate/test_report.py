"""The page in words and in pictures: who wins, what is noise, and labels that can be read."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from befit.evaluate.drawing import calibration, costs, curves, gains, mean_gain, spread, styles
from befit.evaluate.report import page
from befit.evaluate.schema import Result, Row
from befit.evaluate.verdicts import verdicts

PEERS = [f"peer-{i}" for i in range(14)]
METHODS = ["default", "user-blind", "wrong-user", "longer-wins", "random", *PEERS]


def row(method: str, metric: str, value: float, shots: int | None = 8, **given: Any) -> Row:
    ends = {"lo": value - 0.01, "hi": value + 0.01, "people": 40, "data": "votes", **given}
    return Row(method=method, metric=metric, value=value, shots=shots, **ends)


def compared(method: str, against: str, gain: float, p: float, *, shots: int = 8) -> dict[str, Any]:
    return {
        "data": "votes",
        "method": method,
        "against": against,
        "shots": shots,
        "gain": gain,
        "p_holm": p,
        "detectable_at_80_percent_power": 0.03,
    }


def rows() -> list[Row]:
    made = []
    for place, method in enumerate(METHODS):
        for k in (0, 8, 16):
            made.append(row(method, "accuracy", 0.5 + 0.01 * place, k))
            made.append(row(method, "gain_over_user_blind", 0.01 * (place - 1), k))
        made.append(row(method, "area_under_curve", 0.5 + 0.01 * place, None))
        made += [row(method, name, 1.0 + place, None) for name in ("fit_seconds", "adapt_us")]
    return made


SHAPE = {
    "data": "votes",
    "shots": 8,
    "reliability": {m: [[0.6, 0.55], [0.9, 0.8]] for m in METHODS},
    "gains_over_user_blind": {m: [i / 100 for i in range(21)] for m in METHODS[2:]},
}


def test_words_tell_a_lead_from_noise_by_the_corrected_p() -> None:
    found = verdicts(
        [
            row("default", "accuracy", 0.7),
            row("a", "accuracy", 0.72),
            row("b", "accuracy", 0.6),
            row("default+bald", "accuracy", 0.9),  # was shown chosen pairs: no rival
            row("default", "gain_over_user_blind", 0.02),
        ],
        [
            compared("default", "user-blind", 0.02, 0.01),
            compared("a", "default", 0.02, 0.04),
            compared("b", "default", -0.1, 0.001),
            compared("c", "default", -0.001, 0.9),
            compared("default+bald", "default", 0.2, 0.001),
            compared("c", "default", 0.5, 0.001, shots=16),
        ],
    )
    (one,) = found
    assert (one.data, one.shots, one.best) == ("votes", 8, "a")
    assert one.over_blind == "ahead: +2.0 points (+1.0 to +3.0), p .010"
    assert one.over_wrong == ""
    assert (one.ahead, one.level, one.behind) == (("a (by 2.0 points)",), ("c",), ("b",))


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (0.01, "+2.0 points (+1.0 to +4.0), but noise once all comparisons"),
        (-0.01, "noise: +2.0 points (-1.0 to +4.0); 3.0 points would have shown"),
    ],
)
def test_what_is_not_beyond_chance_is_called_noise(low: float, said: str) -> None:
    gain = row("default", "gain_over_user_blind", 0.02, lo=low, hi=0.04)
    (one,) = verdicts(
        [row("default", "accuracy", 0.7), gain],
        [compared("default", "user-blind", 0.02, 0.3)],
    )
    assert one.over_blind.startswith(said)


def test_the_best_peer_stands_out_and_every_method_is_named_in_the_curves() -> None:
    drawn = styles(rows())
    assert [m for m in PEERS if drawn[m].first] == [PEERS[-1]]
    assert len({(s.colour, s.mark) for s in drawn.values() if s.first}) == 6
    oracle = row("crowd-oracle", "noise_ceiling", 0.8, None)
    left, right = curves([*rows(), oracle], "votes", drawn).axes
    guesses = {"longer-wins", "random"}
    assert {text.get_text() for text in left.texts} == {*METHODS, "knows the crowd"} - guesses
    bold = {text.get_text() for text in right.texts if text.get_fontweight() == "bold"}
    assert bold == {"default", "user-blind", "wrong-user", PEERS[-1]}


def test_where_methods_are_few_all_of_them_have_a_colour() -> None:
    few = [each for each in rows() if each.method in METHODS[:8]]
    drawn = styles(few)
    assert all(style.first for style in drawn.values())
    assert "random" in {text.get_text() for text in curves(few, "votes", drawn).axes[0].texts}


def test_the_other_pictures_show_every_method_once() -> None:
    drawn = styles(rows())
    assert len(calibration(SHAPE, drawn).axes) == 4  # those that stand out, less the flat ones
    labels = gains(SHAPE, drawn).axes[0].get_yticklabels()
    assert sorted(t.get_text() for t in labels) == sorted(
        set(METHODS[2:]) - {"longer-wins", "random"}
    )
    by_fit, by_reaction = costs(rows(), drawn).axes
    assert len(by_fit.texts) == len(by_reaction.texts) == len(METHODS) - 2
    assert mean_gain(rows(), "peer-0") == pytest.approx(0.04)
    assert mean_gain(rows(), "nobody") is None


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40), st.floats(0.001, 0.2))
def test_labels_keep_their_order_and_their_distance_inside_the_axes(
    wanted: list[float], room: float
) -> None:
    places = spread(sorted(wanted), room)
    least = min(room, 1.0 / max(len(wanted) - 1, 1))
    assert all(-1e-9 <= place <= 1.0 + 1e-9 for place in places)
    assert all(b - a >= least - 1e-9 for a, b in pairwise(places))


def test_a_page_of_nothing_but_shots_less_figures_has_no_curves() -> None:
    result = Result(metadata={"seeds": 1}, rows=(row("default", "accuracy", 0.7, None),))
    text = page(result)
    assert "<svg" not in text
    assert "Who wins where" not in text


def test_chosen_questions_worth_twice_as_many_at_random_are_marked() -> None:
    made = [
        row("default+bald", "questions_to_match", 9.0, 4, lo=8.0, hi=10.0),
        row("default+pref", "questions_to_match", 9.0, 4, lo=7.9, hi=10.0),
    ]
    text = page(Result(metadata={"seeds": 1}, rows=(*rows(), *made)))
    assert text.count("<b>9.0</b> <small>[8.0, 10.0]") == 1
    assert "<td>9.0 <small>[7.9, 10.0]" in text


def test_the_page_says_what_is_level_what_is_missed_and_what_leaks() -> None:
    duel = {
        "data": "votes", "shots": 8, "peer": "path/to/mine.py:Theirs", "ours": 0.7, "theirs": 0.69,
        "gain": 0.01, "lo": -0.01, "hi": 0.03, "p": 0.2, "p_holm": 0.9,
    }  # fmt: skip
    ahead = {**duel, "shots": None, "p_holm": 0.001}
    gate = {
        "name": "flip", "data": "votes", "wanted": "turn", "value": 0.4, "lo": 0.3, "hi": 0.5,
        "met": False,
    }  # fmt: skip
    made = (
        *rows(),
        row("crowd-oracle", "noise_ceiling", 0.8, None),
        row("format-probe", "probe_accuracy", 0.6, None),
        row("length-probe", "probe_accuracy", 0.5, None),
    )
    metadata = {
        "seeds": 1,
        "best_peers": [duel, ahead],
        "gates": [gate, {**gate, "met": True}],
        "near_duplicates": [{"data": "votes", "pairs": 1200, "held_together": 7}],
        "not_tested": [{"data": "polis", "why": "not <found>"}],
    }
    text = page(Result(metadata=metadata, rows=made))
    assert "<td class='even'>+1.0<br><small>-1.0 to +3.0<br>Theirs</small></td>" in text
    assert "<td class='up'>+1.0<br>" in text
    assert "path/to" not in text
    assert "meets 1 of 2 gates" in text
    assert "not met</td><td>0.400" in text
    assert "a label that leaked" in text
    assert "Of 1,200 pairs of the people tested, 7 are" in text
    assert "not &lt;found&gt;" in text
