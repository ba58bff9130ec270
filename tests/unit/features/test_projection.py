"""Projection: positions with their measured errors; what a text does not speak of is left out."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.errors import InputError
from befit.core.people import UserId
from befit.core.preference import Dimension, PreferenceSpace
from befit.features.anchors import AnchorProjector
from befit.features.asked_projection import AskedProjector
from befit.features.fitting_projection import (
    Placed,
    fit_anchors,
    fit_projection,
    fit_surface,
    measured_error,
    placed,
)
from befit.features.projection import (
    Projection,
    Projector,
    Projectors,
    SurfaceProjector,
    WishProjector,
    card,
    observations,
    pooled,
)
from befit.features.statements import read_statement
from befit.features.style import FEATURES
from befit.memory.spaces import load_space, sensitive

STYLE, NEEDS = load_space("style"), load_space("needs")


def test_the_surface_is_read_with_an_error_that_falls_with_length() -> None:
    surface = SurfaceProjector(space=STYLE)
    short = surface.project("This is a very short text, indeed!")
    long = surface.project("This is a rather long text, which goes on. " * 60)
    assert set(short) == {d.name for d in STYLE.dimensions if d.feature}
    assert long["length"][0] > short["length"][0]
    assert long["enthusiasm"][1] < short["enthusiasm"][1]
    assert surface.project("Hi there") == {}


def test_a_wish_is_read_only_where_the_author_is_not_like_others() -> None:
    wish = WishProjector(space=STYLE)
    plain = "We took the late train home, and nobody on it said a word to us until Leeds."
    read, surface = wish.project(plain), SurfaceProjector(space=STYLE).project(plain)
    assert surface["code"][0] == -1.0
    assert "code" not in read  # few texts have any
    assert all(noise > 1.0 for _, noise in read.values())
    cheerful = wish.project("We won! We really won! What a day! I can not believe it! " * 3)
    assert cheerful["enthusiasm"][0] > 0.5
    assert wish.project("Hi there") == {}


def test_every_feature_has_a_measured_error() -> None:
    assert set(card()["surface"]) == set(FEATURES)
    assert all(each["constant"] > 0 <= each["per_word"] for each in card()["surface"].values())


@pytest.mark.parametrize(
    ("text", "name", "sign"),
    [
        ("We hiked through the forest and camped by the river, wonderful.", "nature", 1),
        ("I went to the gym and lifted weights, and I feel great.", "fitness", 1),
        ("I met so many new people at the party and chatted all night.", "sociability", 1),
        ("Clutter everywhere, and I am quite happy in this mess.", "order", -1),
    ],
)
def test_anchors_tell_what_a_text_speaks_of(text: str, name: str, sign: int) -> None:
    value, noise = AnchorProjector(space=NEEDS, least=0.1).project(text)[name]
    assert value * sign > 0
    assert noise >= card()["anchors"]["calibration"][2]


@pytest.mark.parametrize(
    ("text", "name", "sign"),
    [
        ("I hate spicy food", "spicy_food", -1),
        ("I love jump scares", "horror", 1),
        ("I hate crowded places", "solitude", 1),
        ("I dislike being rushed", "haste", -1),
        ("I prefer trains to rental cars", "slow_transport", 1),
        ("I can't stand clutter", "order", 1),
        ("I love mocktails", "alcohol", -1),
    ],
)
def test_the_words_of_needs_say_what_is_liked_at_that_end(text: str, name: str, sign: int) -> None:
    assert read_statement(NEEDS, text)[name] * sign > 0


def test_anchors_are_silent_where_nothing_is_spoken_of() -> None:
    anchors = AnchorProjector(space=NEEDS)
    assert anchors.project("") == {}
    assert anchors.project("The file is attached, see line 12.") == {}
    assert len(AnchorProjector(space=NEEDS, least=0.0, most=3).project("I like tea.")) == 3
    assert AnchorProjector(space=load_space("values")).project("I like tea.") == {}


def test_a_space_of_ones_own_needs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "chess.toml"
    path.write_text(
        'name = "chess"\nversion = "1"\n[[dimension]]\nname = "opening"\nlow = "quiet, closed chess'
        ' openings"\nhigh = "sharp, attacking chess gambits"\n'
    )
    found = AnchorProjector(space=load_space(str(path))).project("I play a sharp chess gambit.")
    assert found["opening"][0] > 0


def test_the_calibration_is_what_fitting_gives() -> None:
    pytest.importorskip("sklearn")
    fitted, shipped = fit_anchors(NEEDS, placed()), card()["anchors"]
    assert fitted["calibration"] == pytest.approx(shipped["calibration"], abs=0.05)
    assert fitted["figures"] == pytest.approx(shipped["figures"], abs=0.05)
    assert fitted["figures"]["direction"] > 0.65
    assert fitted["figures"]["first"] > 0.3
    with pytest.raises(InputError):
        fit_anchors(STYLE, placed()[:2])


def test_a_constant_author_has_no_error_and_few_texts_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    errors = fit_surface({"a": ["Same text, again and again."] * 5})
    assert {(e["constant"], e["per_word"]) for e in errors.values()} == {(0.01, 0.0)}
    assert errors["code"]["usual"] == -1.0
    with pytest.raises(InputError):
        fit_surface({"a": ["one", "two"]})
    authors = {"a": [f"Text number {n} has words. " * (n + 1) for n in range(5)]}
    fit_projection(tmp_path, NEEDS, authors, {"name": "own", "licence": "none"})
    written = json.loads((tmp_path / "projection_v1.json").read_text())
    assert set(written) == set(card())


def test_the_same_text_by_two_projectors_is_pooled() -> None:
    surface = SurfaceProjector(space=STYLE)
    text = "A plain text of some words, nothing more than that."
    once, twice = surface.project(text), Projectors(parts=(surface, surface)).project(text)
    for name, (value, noise) in once.items():
        assert twice[name][0] == pytest.approx(value)
        assert twice[name][1] == pytest.approx(noise / math.sqrt(2))


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.05, 5)), min_size=1, max_size=6))
def test_pooling_is_surer_than_each_part(readings: list[tuple[float, float]]) -> None:
    value, noise = pooled(readings)
    assert min(v for v, _ in readings) - 1e-9 <= value <= max(v for v, _ in readings) + 1e-9
    assert noise <= min(n for _, n in readings) + 1e-9


@given(st.dictionaries(st.text("abc", max_size=3), st.tuples(st.floats(-1, 1), st.floats(0.05, 5))))
def test_observations_keep_every_value_and_never_flatter(
    projection: dict[str, tuple[float, float]],
) -> None:
    groups = observations(projection)
    said = {name: (value, noise) for values, noise in groups for name, value in values.items()}
    assert said.keys() == projection.keys()
    for name, (value, noise) in projection.items():
        assert said[name][0] == value
        assert noise <= said[name][1] <= 1.25 * noise + 1e-9
    assert [noise for _, noise in groups] == sorted(noise for _, noise in groups)


def test_what_is_excluded_is_neither_inferred_nor_asked() -> None:
    text = "We fast until sunset and go to the mosque on Friday to pray."
    assert "religion" in AnchorProjector(space=NEEDS, least=0.1).project(text)
    kept = AnchorProjector(space=NEEDS, least=0.1, exclude=sensitive("needs")).project(text)
    assert not kept.keys() & sensitive("needs")
    policy = Says({"b": '{"b": 1}'})
    asking = AskedProjector(policy=policy, space=SPACE, context=CONTEXT, exclude=frozenset("a"))
    assert asking.project("text") == {"b": (0.5, 0.7)}


@dataclass(frozen=True)
class Says:
    """A policy that answers as a table says, by the first axis it is shown."""

    answers: Mapping[str, str]

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        first = context.prompt.split("<axes>\n- ")[1].split(":")[0]
        return [Draft(text=self.answers.get(first, "{}"), policy="says")]


SPACE = PreferenceSpace("t", "1", (Dimension("a", "l", "h"), Dimension("b", "l", "h")))
CONTEXT = Context(user=UserId("u"), messages=(), at=datetime(2026, 1, 1, tzinfo=UTC))


def asks(answer: str, at_once: int = 12) -> Projection:
    policy = Says({"a": answer, "b": '{"b": -2}'})
    projector = AskedProjector(policy=policy, space=SPACE, context=CONTEXT, at_once=at_once)
    assert isinstance(projector, Projector)
    return projector.project("some text")


def test_a_model_answers_in_numbers() -> None:
    assert asks('{"a": 1, "b": 0}') == {"a": (0.5, 0.7), "b": (0.0, 0.7)}
    assert asks('{"a": 2}', at_once=1) == {"a": (1.0, 0.7), "b": (-1.0, 0.7)}
    assert asks("nonsense", at_once=1) == {"b": (-1.0, 0.7)}


@pytest.mark.parametrize(
    "answer",
    ["", "a: 1", '{"a": 3}', '{"a": 0.5}', '{"a": true}', '{"a": "1"}', '{"c": 1}', "[1]",
     '{"a": 1} so there', '{"a": 1, "a": 2}'],
)  # fmt: skip
def test_nonsense_says_nothing(answer: str) -> None:
    assert asks(answer) == {}


def test_any_projector_can_be_measured() -> None:
    texts = [Placed("x", "a", 1.0), Placed("y", "a", -1.0)]
    policy = Says({"a": '{"a": 2}'})
    projector = AskedProjector(policy=policy, space=SPACE, context=CONTEXT)
    error = measured_error(projector, texts)
    assert error == {"read": 1.0, "direction": 0.5, "error": pytest.approx(math.sqrt(2))}
    assert measured_error(Projectors(parts=()), texts)["read"] == 0.0
