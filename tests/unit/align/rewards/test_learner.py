"""Learning a population: unseen people gain by their own pairs, and by no one else's."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from befit.align.rewards import learner as learning
from befit.align.rewards.default import Default
from befit.align.rewards.learner import RewardLearner, fit_population, groups, measure, serving
from befit.align.rewards.method import sigmoid
from befit.align.rewards.pairs import Pairs, Person, Population, Texts
from befit.core.dialogue import Context, Draft, Message
from befit.core.errors import InputError, NotEnoughFeedbackError
from befit.core.feedback import Comparison
from befit.core.people import UserId
from befit.core.preference import Pair
from befit.core.protocols import Learner
from befit.features.feature_map import FeatureMap
from befit.reward.hierarchical import HierarchicalReward

AT = datetime(2026, 1, 1, tzinfo=UTC)
WIDTH = 12


class Numbers:
    """A random unit vector for each text, always the same."""

    name = "numbers"
    width = WIDTH

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        rows = [np.random.default_rng(int(text)).normal(size=WIDTH) for text in texts]
        return [(row / np.linalg.norm(row)).tolist() for row in rows]


FEATURES = FeatureMap(Numbers(), 0.0)


def person(seed: int, count: int = 24) -> list[Pair]:
    """Likes the first direction as everyone, and one of two others, or its opposite, a lot."""
    rng = np.random.default_rng(seed)
    wanted = np.zeros(WIDTH)
    wanted[0] = 0.5
    wanted[1 + seed % 2] = rng.choice([-2.0, 2.0])
    pairs = []
    for first, second in rng.choice(10_000, (count, 2), replace=False).tolist():
        a, b = (np.array(v) for v in Numbers().encode([str(first), str(second)]))
        good, bad = (first, second) if wanted @ (a - b) > 0 else (second, first)
        pairs.append(Pair(prompt="which?", chosen=str(good), rejected=str(bad)))
    return pairs


@lru_cache(maxsize=1)
def head() -> HierarchicalReward:
    return fit_population({f"user {i}": person(i) for i in range(60)}, FEATURES, rank=6, steps=120)


def comparisons(people: int, count: int = 12) -> list[Comparison]:
    return [
        Comparison(
            context=Context(user=UserId(f"u{i}"), messages=(Message("user", "which?"),), at=AT),
            chosen=Draft(text=pair.chosen, policy="test"),
            rejected=Draft(text=pair.rejected, policy="test"),
        )
        for i in range(people)
        for pair in person(i, count)
    ]


def accuracy(shots: int, history: int = 0) -> float:
    """Over unseen people, each shown ``shots`` pairs of the person ``history`` places on."""
    right = []
    for i in range(1000, 1040):
        shown = person(i + history)[:shots]
        taste = head().posterior([head().difference(p) for p in shown], [1.0] * shots)
        right += [head().predict(pair, taste) > 0.5 for pair in person(i)[12:]]
    return float(np.mean(right))


def test_unseen_people_gain_by_their_own_pairs() -> None:
    nothing, some, more = accuracy(0), accuracy(4), accuracy(12)
    assert some > nothing + 0.1
    assert more > some
    assert more > 0.85


def test_what_serves_says_what_the_default_says_of_new_and_of_known_texts() -> None:
    """Of someone who said nothing, and after 6 pairs; some texts were met, some were not."""
    told = {f"user {i}": person(i, 8) for i in range(20)}
    shared = [p for i in range(0, 20, 2) for p in told[f"user {i}"][:2]]
    told |= {f"user {i}": told[f"user {i}"] + shared for i in range(20)}
    asked = [*shared[:5], *person(77, 5)]
    texts = Texts(
        [t for own in [*told.values(), asked] for p in own for t in (p.chosen, p.rejected)],
        FEATURES,
    )
    people = {user: Person(pairs=Pairs.of(texts, own)) for user, own in told.items()}
    everyone = Population(texts=texts, people=people)
    users = sorted(people)
    fitted = Default(rank=5, steps=0).fit(
        everyone.part(users[5:]), everyone.part(users[:5]), seed=0
    )
    served = serving(fitted, FEATURES)
    assert len(served.known) > 5
    for shown in ([], told["user 3"][:6]):
        (state,) = fitted.adapt([Person(pairs=Pairs.of(texts, shown))])
        taste = served.posterior([served.difference(p) for p in shown], [1.0] * len(shown))
        expected = sigmoid(fitted.logits(state, Pairs.of(texts, asked)))
        assert [served.predict(pair, taste) for pair in asked] == pytest.approx(
            expected.tolist(), abs=1e-4
        )


def test_of_one_person_only_so_many_pairs_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    people = {f"user {i}": person(i, 6) for i in range(8)}
    once = fit_population(people, FEATURES, rank=3, steps=0)
    monkeypatch.setattr(learning, "MOST_PAIRS", 6)
    more = {**people, "user 0": person(99, 50) + people["user 0"]}
    assert fit_population(more, FEATURES, rank=3, steps=0).version == once.version


def test_another_persons_pairs_help_nobody() -> None:
    assert accuracy(12, history=1) < accuracy(0) + 0.05


def test_same_seed_gives_the_same_head_and_another_seed_another() -> None:
    people = {f"user {i}": person(i, 8) for i in range(12)}
    one, same, other = (
        fit_population(people, FEATURES, rank=4, seed=seed, steps=20) for seed in (1, 1, 2)
    )
    assert one.version == same.version
    assert one.version != other.version


def test_people_who_differ_in_nothing_get_the_common_wish() -> None:
    def same(seed: int) -> list[Pair]:
        pairs = person(2 * seed)
        axis = {
            text: Numbers().encode([text])[0][0] for p in pairs for text in (p.chosen, p.rejected)
        }
        return [
            p
            if axis[p.chosen] > axis[p.rejected]
            else Pair(prompt="", chosen=p.rejected, rejected=p.chosen)
            for p in pairs
        ]

    found = fit_population({str(i): same(i) for i in range(20)}, FEATURES, rank=4, steps=40)
    asked = [pair for i in range(500, 510) for pair in same(i)]
    assert np.mean([found.predict(pair) > 0.5 for pair in asked]) > 0.9


def test_the_rank_never_passes_the_width() -> None:
    people = {f"user {i}": person(i, 6) for i in range(6)}
    found = fit_population(people, FEATURES, rank=500, steps=0)
    assert len(found.mean) <= FEATURES.width + 1  # and what everyone thinks


def test_a_rank_without_coordinates_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        fit_population({f"user {i}": person(i, 6) for i in range(6)}, FEATURES, rank=0)
    assert caught.value.field == "rank"


def test_too_few_people_are_no_population() -> None:
    with pytest.raises(NotEnoughFeedbackError):
        fit_population({"a": person(1), "b": person(2), "c": []}, FEATURES)


def test_pairs_that_share_a_text_or_a_prompt_stay_together() -> None:
    def made(*rows: tuple[str, str, str]) -> list[Pair]:
        return [Pair(prompt=p, chosen=c, rejected=r) for p, c, r in rows]

    one_prompt = made(("q", "1", "2"), ("q", "2", "3"), ("q", "4", "5"))
    assert groups(one_prompt).tolist() == [0, 0, 1]
    prompts = made(("q", "1", "2"), ("w", "3", "4"), ("q", "5", "6"), ("", "7", "8"))
    assert groups(prompts).tolist() == [0, 1, 0, 2]


def test_the_learner_writes_a_head_that_loads_and_tells_how_good_it_is(tmp_path: Path) -> None:
    learner = RewardLearner(encoder=Numbers(), rank=4, style_weight=0.0, steps=60)
    assert isinstance(learner, Learner)
    artifact = learner.learn(comparisons(30), tmp_path / "new", AT)
    assert artifact.kind == "reward"
    assert artifact.owner is None
    assert artifact.at == AT
    loaded = HierarchicalReward.load(tmp_path / "new", Numbers())
    assert artifact.base == loaded.features.name
    assert artifact.metrics["people"] == 30
    assert artifact.metrics["pairs"] == 30 * 12
    assert artifact.metrics["tested_people"] == 6
    assert artifact.metrics["accuracy"] > artifact.metrics["population_accuracy"]
    assert 0.0 <= artifact.metrics["ece"] < 0.3
    again = learner.learn(comparisons(30), tmp_path / "again", AT)
    assert again.id == artifact.id


@pytest.mark.parametrize(("people", "count"), [(0, 0), (7, 24), (8, 7)])
def test_too_little_feedback_is_refused(tmp_path: Path, people: int, count: int) -> None:
    with pytest.raises(NotEnoughFeedbackError) as caught:
        RewardLearner(encoder=Numbers()).learn(comparisons(people, count), tmp_path, AT)
    assert "64" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_is_measured_is_what_the_head_says() -> None:
    found = measure(head(), [person(i) for i in range(2000, 2020)], shots=8)
    assert found["accuracy"] > found["population_accuracy"]
    assert found["nll"] < np.log(2)
    assert found["ece"] < 0.15
