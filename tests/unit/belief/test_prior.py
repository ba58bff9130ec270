"""The group prior: what is learned, how it is shrunk, how it gives way."""

import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from befit.belief.fold import BayesFold
from befit.belief.prior import Prior, fit_prior
from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, PreferenceSpace

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("harmless", "as for anyone", "more careful", universal=True),
        Dimension("length", "short", "long"),
        Dimension("lists", "prose", "lists"),
    ),
)


def crowd(people: int, *, seed: int = 1) -> list[tuple[list[str], dict[str, tuple[float, float]]]]:
    """People of whom the old like length, and of whom the tall are like anyone."""
    rng = random.Random(seed)
    made = []
    for _ in range(people):
        groups = [g for g, share in (("old", 0.5), ("tall", 0.5)) if rng.random() < share]
        truth = rng.gauss(-0.2 + 0.6 * ("old" in groups), 0.2)
        # one observation of noise 0.5, folded with the prior N(0, 1)
        mean, variance = rng.gauss(truth, 0.5) * 0.8, 0.2
        made.append((groups, {"length": (mean, variance**0.5)}))
    return made


def test_effects_are_found_and_those_that_are_not_there_shrink() -> None:
    prior = fit_prior(crowd(400))
    old, young = prior.of("length", ["old"]), prior.of("length")
    assert old[0] - young[0] == pytest.approx(0.6, abs=0.15)
    assert abs(prior.effects["tall"]["length"]) < 0.1
    assert 0.1 <= old[1] < 0.45
    assert prior.of("lists", ["old"]) == (0.0, 1.0)


def test_of_few_people_little_is_believed() -> None:
    few = [
        prior.effects["old"]["length"] for prior in (fit_prior(crowd(6, seed=s)) for s in range(9))
    ]
    many = fit_prior(crowd(600)).effects["old"]["length"]
    assert sum(few) / len(few) < many
    assert fit_prior([]).of("length") == (0.0, 1.0)
    assert fit_prior([([], {"length": (0.5, 0.5)})]).of("length", ["old"])[0] < 0.5


def test_the_order_of_the_people_does_not_matter() -> None:
    people = crowd(60)
    one, other = fit_prior(people), fit_prior(people[::-1])
    assert one.effects["old"]["length"] == pytest.approx(other.effects["old"]["length"])


PRIOR = Prior(
    population={"length": (-0.2, 0.4), "harmless": (0.0, 1.0)},
    effects={"age:old": {"length": 0.6, "harmless": -0.5}},
)


def told(key: str, values: dict[str, float], kind: EvidenceKind) -> Evidence:
    return Evidence(id=key, user=UserId("u"), kind=kind, at=AT, values=values)


SELF = told("self", {"group:age:old": 1.0}, EvidenceKind.DEMOGRAPHIC)


def test_a_group_that_somebody_named_is_a_belief_with_its_source() -> None:
    fold = BayesFold(prior=PRIOR)
    (belief,) = fold.infer(SPACE, [SELF], AT, "")
    assert (belief.dimension, belief.sources) == ("length", ("self",))
    assert belief.mean == pytest.approx(0.4)
    assert belief.std == pytest.approx(0.4)
    assert fold.infer(SPACE, [], AT, "") == []
    assert BayesFold().infer(SPACE, [SELF], AT, "") == []


def test_the_person_outweighs_the_group_bit_by_bit() -> None:
    fold, means = BayesFold(prior=PRIOR), []
    for count in range(6):
        words = [told(str(i), {"length": -0.8}, EvidenceKind.STATED) for i in range(count)]
        means.append(fold.infer(SPACE, [SELF, *words], AT, "")[0].mean)
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.3
    assert means[-1] < -0.6
    assert max(a - b for a, b in pairwise(means)) < 0.9


def test_only_what_the_person_said_of_themselves_names_a_group() -> None:
    guessed = told("guess", {"group:age:old": 1.0}, EvidenceKind.AUTHORED)
    assert BayesFold(prior=PRIOR).infer(SPACE, [guessed], AT, "") == []


def test_an_impossible_prior_is_refused() -> None:
    with pytest.raises(InputError, match="length") as caught:
        Prior(population={"length": (0.0, 0.0)})
    assert caught.value.field == "population.length"


def test_what_goes_together_is_learned_and_moves_together() -> None:
    rng, people = random.Random(5), []
    for _ in range(300):
        shared = rng.gauss(0, 0.5)
        beliefs = {}
        for name, truth in (("length", shared), ("lists", -shared), ("theory", rng.gauss(0, 0.5))):
            beliefs[name] = ((truth + rng.gauss(0, 0.3)) / 1.09, (0.09 / 1.09) ** 0.5)
        people.append(((), beliefs))
    prior = fit_prior(people)
    one = prior.matrix(["length", "lists", "theory"])
    assert one[0, 1] < -0.6
    assert abs(one[0, 2]) < 0.2
    space = PreferenceSpace(
        "test", "1", (*SPACE.dimensions, Dimension("theory", "practical", "theory"))
    )
    fold = BayesFold(prior=prior)
    found = {
        p.dimension: p
        for p in fold.infer(space, [told("a", {"length": 0.9}, EvidenceKind.STATED)], AT, "")
    }
    assert set(found) == {"length", "lists"}
    assert found["lists"].mean < -0.2
    assert found["lists"].sources == ("a",)
    own = [told("b", {"lists": 0.8}, EvidenceKind.STATED)]
    both = fold.infer(space, [told("a", {"length": 0.9}, EvidenceKind.STATED), *own], AT, "")
    assert next(p for p in both if p.dimension == "lists").mean > 0.2


def test_correlations_that_nobody_can_have_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Prior(correlations={"a": {"b": 0.9, "c": 0.9}, "b": {"c": -0.9}})
    assert caught.value.field == "correlations"
