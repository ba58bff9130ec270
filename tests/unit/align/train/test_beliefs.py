"""What is learned from everybody helps with whom it has not seen, or is refused."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from befit.align.train.beliefs import learn_beliefs
from befit.belief.fold import BayesFold
from befit.core.errors import AuditFailedError, NotEnoughFeedbackError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, PreferenceSpace

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("a", "l", "h"),
        Dimension("b", "l", "h"),
        Dimension("kind", "l", "h", universal=True),
    ),
)


def person(seed: int, mean: float, spread: float) -> Sequence[Evidence]:
    rng = random.Random(seed)
    group = rng.choice(("young", "old"))
    centre = mean + (0.4 if group == "old" else 0.0)
    own = max(-1.0, min(1.0, rng.gauss(centre, spread)))
    told = [
        Evidence(
            id=f"{seed}/{n}",
            user=UserId(str(seed)),
            kind=EvidenceKind.AUTHORED,
            at=AT - timedelta(days=n),
            values={"a": max(-1.0, min(1.0, rng.gauss(own, 0.3))), "kind": 0.9},
        )
        for n in range(4)
    ]
    belongs = Evidence(
        id=f"{seed}/g",
        user=UserId(str(seed)),
        kind=EvidenceKind.DEMOGRAPHIC,
        at=AT,
        values={f"group:{group}": 1.0},
    )
    return [*told, belongs]


def test_a_prior_of_people_who_are_alike_foretells_others() -> None:
    made = learn_beliefs(BayesFold(), SPACE, [person(n, -0.6, 0.2) for n in range(40)], AT)
    assert made.metrics["people"] == 40
    assert made.metrics["held_out_nats"] > 0.2
    prior = made.learned.prior
    assert prior is not None
    assert prior.of("a", ["old"])[0] - prior.of("a", ["young"])[0] > 0.15
    assert "kind" not in prior.population


def test_the_artifact_is_of_all_and_says_what_was_measured(tmp_path: Path) -> None:
    people = [person(n, -0.6, 0.2) for n in range(12)]
    made = learn_beliefs(BayesFold(), SPACE, people, AT)
    artifact = made.artifact(tmp_path, SPACE, AT)
    assert (artifact.owner, artifact.kind, artifact.base) == (None, "beliefs", "test 1")
    assert artifact.metrics == made.metrics
    again = learn_beliefs(BayesFold(), SPACE, people[::-1], AT).artifact(tmp_path, SPACE, AT)
    assert sorted(again.metrics) == sorted(artifact.metrics)


def test_what_helps_nobody_is_refused(tmp_path: Path) -> None:
    made = learn_beliefs(BayesFold(), SPACE, [person(n, 0.0, 0.3) for n in range(5)], AT)
    worse = type(made)(learned=made.learned, metrics={"held_out_nats": -0.1})
    with pytest.raises(AuditFailedError, match="less likely"):
        worse.artifact(tmp_path, SPACE, AT)
    assert not list(tmp_path.iterdir())


def test_two_people_are_too_few() -> None:
    with pytest.raises(NotEnoughFeedbackError):
        learn_beliefs(BayesFold(), SPACE, [person(1, 0.0, 0.1), person(2, 0.0, 0.1), []], AT)
