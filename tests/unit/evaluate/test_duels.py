"""Ours beside the best peer, and what is to be reached: read from rows alone."""

from typing import Any

import pytest

from befit.evaluate.duels import Duel, duels, is_peer, never_behind
from befit.evaluate.gates import gates
from befit.evaluate.schema import Row


def row(method: str, metric: str, value: float, shots: int | None = 8, **given: Any) -> Row:
    ends = {"lo": value - 0.02, "hi": value + 0.02, "people": 90, "data": "polis", **given}
    return Row(method=method, metric=metric, value=value, shots=shots, **ends)


def compared(method: str, p_holm: float, shots: int = 8) -> dict[str, Any]:
    return {
        "data": "polis", "method": method, "against": "default", "shots": shots, "gain": 0.0,
        "p": 0.001, "p_holm": p_holm,
    }  # fmt: skip


ROWS = [
    row("default", "accuracy", 0.70),
    row("default-no-item", "accuracy", 0.80),
    row("user-blind", "accuracy", 0.79),
    row("default+bald", "accuracy", 0.78),
    row("lore", "accuracy", 0.72),
    row("vpl", "accuracy", 0.71),
    row("lore", "gain_over_default", 0.02, lo=-0.01, hi=0.05),
    row("default", "area_under_curve", 0.7, None),
    row("vpl", "area_under_curve", 0.6, None),
]
AREA = {
    "data": "polis", "method": "vpl", "against": "default", "gain": -0.1, "lo": -0.12, "hi": -0.08,
    "p": 0.001, "p_holm": 0.004,
}  # fmt: skip


def test_the_best_peer_is_the_best_of_others_methods_turned_to_our_side() -> None:
    at_eight, over_all = duels(ROWS, [compared("lore", 0.3), compared("vpl", 0.2)], [AREA])
    assert (at_eight.peer, at_eight.shots, at_eight.outcome) == ("lore", 8, "level")
    assert (at_eight.gain, at_eight.lo, at_eight.hi) == (-0.02, -0.05, 0.01)
    assert (over_all.peer, over_all.shots, over_all.outcome) == ("vpl", None, "ahead")
    assert over_all.gain == pytest.approx(0.1)
    (behind,) = duels(ROWS, [compared("lore", 0.01)], [])
    assert behind.outcome == "behind"
    assert never_behind([at_eight], "polis", range(1, 17)) is True
    assert never_behind([at_eight, behind], "polis", range(1, 17)) is False
    assert never_behind([over_all], "polis", range(1, 17)) is None


def test_who_is_a_peer() -> None:
    assert [m for m in ("lore", "majority", "file.py:Mine") if not is_peer(m)] == []
    ours = ("default", "default-no-item", "default+bald", "user-blind", "wrong-user", "random")
    assert [m for m in ours if is_peer(m)] == []


def duel(gain: float, p: float) -> Duel:
    return Duel(
        data="dsp", shots=4, peer="lore", ours=0.7, theirs=0.7 - gain, gain=gain, lo=gain - 0.01,
        hi=gain + 0.01, p=p, p_holm=p,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "name", "met"),
    [
        (row("default", "gain_over_user_blind", 0.03), "personal", True),
        (row("default", "gain_over_user_blind", 0.01), "personal", False),
        (row("default", "gain_over_user_blind", -0.01, data="llmfao"), "harmless", True),
        (row("default", "gain_over_user_blind", -0.03, data="llmfao"), "harmless", False),
        (row("default", "gain_over_user_blind", 0.05, 0), "stranger", True),
        (row("default", "gain_over_user_blind", -0.05, 0), "stranger", False),
        (row("default", "flip_rate", 0.7, data="dsp"), "flip", True),
        (row("default", "flip_rate", 0.6, data="dsp"), "flip", False),
        (row("default", "flip_rate", 0.6, data="x/contested"), "flip", True),
        (row("default", "gap", 0.03), "gap", True),
        (row("default", "gap", 0.01), "gap", False),
        (row("default", "ece", 0.05), "calibrated", True),
        (row("default", "ece", 0.06), "calibrated", False),
        (row("default", "negative_transfer_latent", 0.2), "harm", False),
        (row("default", "harm_of_history_latent", 0.1), "harm-of-history", True),
        (row("default", "harm_of_history_latent_depth", 0.03), "harm-of-history-depth", False),
        (row("default+bald", "questions_to_match", 8.0, 4), "questions", True),
        (row("default+bald", "questions_to_match", 7.9, 4), "questions", False),
    ],
)
def test_a_gate_is_met_or_not(made: Row, name: str, met: bool) -> None:
    own = row("default", "accuracy", 0.7, data=made.data)
    (found,) = [gate for gate in gates([own, made], []) if gate.name == name]
    assert found.met is met
    assert found.data == made.data


def test_gates_without_a_figure_are_left_out_and_the_worst_number_of_shots_is_told() -> None:
    assert gates([row("default", "accuracy", 0.7), row("lore", "ece", 0.9)], []) == []
    few = row("default", "ece", 0.9, people=20)
    (only,) = gates([row("default", "ece", 0.02, 4), row("default", "ece", 0.04), few], [])
    assert (only.name, only.value, only.met) == ("calibrated", 0.04, True)
    own = [row("default", "accuracy", 0.7, data="dsp")]
    (peers,) = gates(own, [duel(0.01, 0.5), duel(-0.02, 0.6)])
    assert (peers.name, peers.value, peers.met) == ("peers", -0.02, True)
    assert not gates(own, [duel(-0.02, 0.001)])[0].met
