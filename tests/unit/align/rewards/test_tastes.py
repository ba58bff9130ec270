"""Coordinates start where people disagree, and training through the update makes them better."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

from befit.align.rewards.agreed import agree, met
from befit.align.rewards.tastes import (
    Crowd,
    Table,
    Tastes,
    Training,
    _directions,
    begin,
    losses,
    polish,
    train,
)
from befit.testing.rewards import population

EVERYONE = population(30)
USERS = list(EVERYONE.people)
PEOPLE, OTHERS = EVERYONE.part(USERS[:20]), EVERYONE.part(USERS[20:])
AGREED = agree(PEOPLE, OTHERS)
CROWD = Crowd.of(PEOPLE, lambda pairs, _owners: AGREED.of(pairs))
HELD_OUT = Crowd.of(OTHERS, lambda pairs, _owners: AGREED.of(pairs))
TABLE = Table.of(met(PEOPLE), CROWD.pairs)
QUICK = Training(steps=60, look_every=10)


def test_the_directions_are_the_leading_singular_vectors() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 12)) * np.geomspace(8.0, 0.1, 12)
    found = _directions(rows, 3, np.random.default_rng(1))
    exact = np.linalg.svd(rows, full_matrices=False)[2][:3]
    assert np.abs(found @ exact.T) == pytest.approx(np.eye(3), abs=1e-6)


def test_the_first_direction_tells_opposite_tastes_apart() -> None:
    begun = begin(CROWD, TABLE, 2, seed=0)
    along = begun.rows(CROWD, TABLE)[:, 1]
    means = np.array([along[CROWD.owners == person].mean() for person in range(20)])
    short = np.arange(20) % 2 == 0
    order = [int(user[1:]) for user in PEOPLE.people]
    assert order == list(range(20))
    assert (np.sign(means[short]) == np.sign(means[0])).all()
    assert (np.sign(means[~short]) == -np.sign(means[0])).all()


def test_who_said_nothing_is_the_crowd() -> None:
    begun = begin(CROWD, TABLE, 4, seed=0)
    trained = train(begun, CROWD, TABLE, QUICK, seed=0, held_out=HELD_OUT)
    for tastes in (begun, trained, polish(trained, CROWD, TABLE)):
        assert not tastes.mean[1:].any()
        assert tastes.mean[0] > 0.0


def test_training_predicts_people_kept_aside_no_worse_and_is_the_same_each_time() -> None:
    begun = begin(CROWD, TABLE, 4, seed=0)
    one, same = (train(begun, CROWD, TABLE, QUICK, seed=3, held_out=HELD_OUT) for _ in range(2))
    assert (one.basis == same.basis).all()
    assert (one.own == same.own).all()
    before, after = (losses(t, HELD_OUT, TABLE, seed=2).mean() for t in (begun, one))
    assert after <= before + 0.01


def test_a_covariance_is_refitted_to_how_people_vary() -> None:
    begun = begin(CROWD, TABLE, 3, seed=0)
    found = polish(begun, CROWD, TABLE).covariance
    assert np.linalg.eigvalsh(found).min() > 0.0
    assert found[1, 1] > found[3, 3]  # all the difference is in the first direction


def test_no_width_means_no_difference_however_steep() -> None:
    begun = begin(CROWD, TABLE, 3, seed=0)
    flat = Tastes(
        basis=begun.basis, own=begun.own, mean=0.0 * begun.mean, covariance=begun.covariance
    )
    found = losses(flat, HELD_OUT, TABLE, seed=0, widths=(1e-9,), slopes=(0.5, 2.0))
    assert found == pytest.approx(np.log(2.0), abs=1e-3)
