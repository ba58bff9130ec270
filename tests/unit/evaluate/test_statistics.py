from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from befit.evaluate.statistics import (
    Array,
    centred_interval,
    detectable,
    holm,
    interval,
    isotonic,
    mean_of_people,
    permutation_p,
    reached,
    two_level,
    worst_tenth,
)


def _people(number: int, pairs: int, seed: int, columns: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    skill = rng.uniform(0.4, 0.9, number)
    return [(rng.random((pairs, columns)) < p).astype(float) for p in skill]


def test_every_person_counts_the_same_however_many_pairs_they_gave() -> None:
    values = [np.ones((100, 1)), np.zeros((2, 1))]
    assert two_level(values, draws=50).value == pytest.approx([0.5])


def test_the_interval_covers_what_it_should() -> None:
    truth = 0.65
    covered = 0
    for seed in range(60):
        low, high = interval(two_level(_people(60, 12, seed), draws=300).draws[:, 0])
        covered += low <= truth <= high
    assert covered >= 51  # two-level percentile intervals err on the wide side


def test_the_spread_is_that_of_a_plain_double_resampling() -> None:
    values = _people(30, 8, 3)
    rng = np.random.default_rng(0)
    plain = [
        np.mean([rng.choice(values[i][:, 0], 8).mean() for i in rng.integers(30, size=30)])
        for _ in range(1500)
    ]
    ours = two_level(values, draws=1500).draws[:, 0]
    assert np.std(ours) == pytest.approx(np.std(plain), rel=0.12)


def test_columns_share_resamples_so_equal_methods_differ_by_nothing() -> None:
    values = [np.repeat(own, 2, axis=1) for own in _people(20, 6, 1)]
    draws = two_level(values, draws=100).draws
    assert np.array_equal(draws[:, 0], draws[:, 1])


def test_a_person_without_part_in_a_column_is_left_out_of_it() -> None:
    values = [np.ones((4, 2)), np.zeros((4, 2))]
    values[1][:, 1] = np.nan
    sample = two_level(values, draws=200)
    assert sample.value == pytest.approx([0.5, 1.0])
    known = sample.draws[~np.isnan(sample.draws[:, 1]), 1]
    assert np.allclose(known, 1.0)
    assert 0 < len(known) < 200  # some resamples draw the other person alone
    assert interval(sample.draws[:, 1]) == pytest.approx((1.0, 1.0))


def test_p_is_the_share_of_all_flips_that_go_as_far_and_is_the_same_in_any_company() -> None:
    few = np.array([0.5, 0.25, -0.125, 0.5, 0.25])
    signs = np.array(list(product((-1.0, 1.0), repeat=5)))
    exact = float(np.mean(np.abs(signs @ few) >= abs(few.sum()) - 1e-12))
    alone = permutation_p([few])
    assert alone[0] == pytest.approx(exact, abs=0.01)
    assert permutation_p([np.ones(7), few, np.ones(5)])[1] == alone[0]


def test_what_no_flip_reaches_survives_a_thousand_comparisons() -> None:
    assert holm(permutation_p([np.ones(60)]) * 1000)[0] < 0.05


def test_a_mean_over_people_has_its_own_interval() -> None:
    value, low, high = mean_of_people(np.arange(100.0))
    assert value == 49.5
    assert high - low == pytest.approx(2 * 1.96 * np.std(np.arange(100.0)) / 10, rel=0.1)


@given(st.lists(st.floats(0, 1), min_size=10, max_size=40))
def test_the_worst_tenth_is_between_the_least_and_the_mean(means: list[float]) -> None:
    worst = worst_tenth(np.array(means))[0]
    assert min(means) - 1e-9 <= worst <= np.mean(means) + 1e-9


def test_the_worst_tenth_of_twenty_is_the_mean_of_the_lowest_two() -> None:
    means = np.arange(20) / 20
    assert worst_tenth(means)[0] == pytest.approx(0.025)
    twice = np.zeros((1, 20))
    twice[0, :10] = 2
    assert worst_tenth(means, twice)[0] == pytest.approx(0.0)


def test_a_clear_difference_has_a_small_p_and_none_a_large_one() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=100)
    clear, none = permutation_p([noise * 0.1 + 0.1, np.tile([0.1, -0.1], 50)])
    assert clear < 0.01
    assert none == 1.0


@settings(max_examples=20)
@given(st.floats(0.01, 1.0))
def test_the_detectable_difference_grows_with_the_noise(scale: float) -> None:
    draws = np.random.default_rng(0).normal(size=4000)
    assert detectable(draws * scale) == pytest.approx(2.8016 * scale, rel=0.05)


def test_a_biased_figure_lies_in_its_interval() -> None:
    low, high = centred_interval(0.02, np.array([0.04, 0.05, 0.06]))
    assert low <= 0.02 <= high
    assert low >= 0.0


@settings(max_examples=30, deadline=None)
@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.floats(0, 1)))
def test_rising_curves_are_those_of_isotonic_regression(curves: Array) -> None:
    for given_, found in zip(curves, isotonic(curves), strict=True):
        expected = IsotonicRegression().fit_transform(np.arange(len(given_)), given_)
        assert found == pytest.approx(expected, abs=1e-9)


def test_a_curve_reaches_between_its_points_at_its_start_or_never() -> None:
    shots, curve = (0, 2, 8), np.tile([0.5, 0.6, 0.8], (4, 1))
    wanted = np.array([0.4, 0.55, 0.7, 0.9])
    assert reached(shots, curve, wanted) == pytest.approx([0.0, 1.0, 5.0, 8.0])
