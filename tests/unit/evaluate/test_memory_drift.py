"""What can be reached in noticing a change: the bound holds, and is no looser than it says."""

import numpy as np
import pytest

from befit.evaluate.memory.drift import BEFORE, cusum_alarms, drift_scores, most_noticed


def test_no_rule_notices_most_strong_shifts_within_eleven_reactions() -> None:
    assert min(most_noticed(11, 0.35, price=price) for price in (0.3, 0.35)) < 0.48
    assert min(most_noticed(12, 0.35, price=price) for price in (0.35, 0.4)) > 0.5


@pytest.mark.parametrize("window", [4, 8])
def test_cusum_that_is_told_both_rates_stays_below_the_bound(window: int) -> None:
    rng = np.random.default_rng(0)
    after, waits = 0.35, []
    for _ in range(1_500):
        stream = np.concatenate([rng.random(100) < BEFORE, rng.random(window) < after])
        found = cusum_alarms(stream.astype(float).tolist(), BEFORE, after)
        if not any(n < 100 for n in found):
            waits.append(bool(found))
    bound = min(most_noticed(window, after, price=price) for price in (0.1, 0.2, 0.3))
    assert np.mean(waits) <= bound + 0.03  # three standard errors


def test_a_rule_told_nothing_makes_as_many_false_alarms_for_both_shifts() -> None:
    def once(stream: object, before: float, after: float) -> list[int]:
        return [3]

    found = [s for s in drift_scores(once, 2, 0) if s.metric == "drift_false_alarms_per_1000"]
    assert [s.value / s.count for s in found] == [0.001] * 4
