"""Spaces: the shipped ones are whole; a malformed file is refused by the field at fault."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.errors import ConfigError, UnknownComponentError
from befit.features.style import FEATURES
from befit.memory.spaces import Migration, load_space, migrate, migrations, sensitive


def test_style_is_readable_and_measurable() -> None:
    space = load_space("style")
    own = [d for d in space.dimensions if not d.universal]
    assert len(own) >= 16
    for dimension in own:
        assert dimension.low
        assert dimension.high
        assert dimension.ask_low.endswith(".")
        assert dimension.ask_high.endswith(".")
        assert dimension.words_high
        assert dimension.feature == "" or dimension.feature in FEATURES
    assert sum(bool(d.feature) for d in own) >= 16


def test_universal_values_are_in_every_space_and_nothing_asks_for_less_of_them() -> None:
    for name in ("style", "values", "needs", "whole"):
        universal = [d for d in load_space(name).dimensions if d.universal]
        assert [d.name for d in universal] == ["harmless", "honest", "helpful"]
        assert not any(d.ask_low or d.words_low or d.feature for d in universal)


def test_no_word_asks_for_two_dimensions() -> None:
    words = [w for d in load_space("whole").dimensions for w in (*d.words_low, *d.words_high)]
    assert sorted(words) == sorted(set(words))


def test_needs_has_ninety_axes_with_both_ends_in_words() -> None:
    own = [d for d in load_space("needs").dimensions if not d.universal]
    assert len(own) >= 90
    for dimension in own:
        assert dimension.low != dimension.high
        assert dimension.ask_low.endswith(".")
        assert dimension.ask_high.endswith(".")
        assert dimension.words_high
        assert all(w == w.lower() for w in (*dimension.words_low, *dimension.words_high))


def test_the_whole_has_what_its_parts_have_once() -> None:
    parts = [d for name in ("style", "needs") for d in load_space(name).dimensions]
    assert load_space("whole").dimensions == tuple(dict.fromkeys(parts))


def test_special_categories_are_marked_and_inherited() -> None:
    marked = sensitive("needs")
    assert {"health", "religion", "politics", "sexuality", "union_work"} <= marked
    assert not {"gardening", "thrift", "solitude"} & marked
    assert marked < {d.name for d in load_space("needs").dimensions}
    assert sensitive("whole") == marked
    assert sensitive("style") == frozenset()


MOVED = """
[[migration]]
from = "1"
to = "2"
drop = ["gone"]
flip = ["b"]
rename = {b = "c", d = "c"}
[[migration]]
from = "2"
rename = {c = "a"}
"""


def test_evidence_migrates_through_every_version(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(f'name = "x"\nversion = "3"\n{GOOD}{MOVED}')
    seen = {"b": -0.4, "d": 0.2, "gone": 1.0, "topic:tea": 0.5}
    assert migrate(str(path), seen, since="1") == pytest.approx({"a": 0.3, "topic:tea": 0.5})
    assert migrate(str(path), {"c": 0.3}, since="2") == {"a": 0.3}
    assert migrate(str(path), seen, since="3") == seen
    with pytest.raises(ConfigError) as caught:
        migrate(str(path), seen, since="0")
    assert caught.value.field == "since"


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(-1, 1)))
def test_migration_keeps_the_range_and_undoes(values: dict[str, float]) -> None:
    there = Migration(before="1", after="2", flip=frozenset("a"), rename={"a": "x", "x": "a"})
    back = Migration(before="2", after="1", flip=frozenset("x"), rename={"x": "a", "a": "x"})
    assert back.apply(there.apply(values)) == values
    joined = Migration(before="1", after="2", rename=dict.fromkeys("abcd", "z"))
    assert all(-1 <= value <= 1 for value in joined.apply(values).values())


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("migration = 1", "migration"),
        ("[[migration]]\nto = '1'", "migration[0].from"),
        ("[[migration]]\nfrom = '9'", "migration[0].from"),
        ("[[migration]]\nfrom = '1'\nrename = {b = 'nowhere'}", "migration[0].rename"),
        ("[[migration]]\nfrom = '1'\nrename = 3", "migration[0].rename"),
        ("[[migration]]\nfrom = '1'\nflip = 'a'", "migration[0].flip"),
        ("[[migration]]\nfrom = '1'\nbend = ['a']", "migration[0].bend"),
        ("[[migration]]\nfrom = '1'\n[[migration]]\nfrom = '1'", "migration[1].from"),
    ],
)
def test_a_malformed_migration_names_its_fault(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "space.toml"
    head, tables = (f"{text}\n", "") if text.startswith("migration") else ("", f"{text}\n")
    path.write_text(f'name = "x"\nversion = "9"\n{head}{GOOD}{tables}')
    with pytest.raises(ConfigError) as caught:
        migrations(str(path))
    assert caught.value.field == field


def test_migrations_that_turn_in_a_circle_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    circle = "[[migration]]\nfrom='1'\nto='2'\n[[migration]]\nfrom='2'\nto='1'\n"
    path.write_text(f'name = "x"\nversion = "3"\n{GOOD}{circle}')
    with pytest.raises(ConfigError, match="nothing leads"):
        migrate(str(path), {}, since="1")


def test_an_own_file_may_extend(tmp_path: Path) -> None:
    path = tmp_path / "tea.toml"
    path.write_text(
        'name = "tea"\nversion = "2"\nextends = ["values"]\n'
        '[[dimension]]\nname = "strength"\nlow = "weak"\nhigh = "strong"\nwords_high = ["strong"]\n'
    )
    space = load_space(str(path))
    assert (space.name, space.version) == ("tea", "2")
    assert [d.name for d in space.dimensions] == ["harmless", "honest", "helpful", "strength"]
    assert space.dimensions[-1].words_high == ("strong",)


GOOD = '[[dimension]]\nname = "a"\nlow = "l"\nhigh = "h"\n'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("name = [", "space"),
        (f'version = "1"\n{GOOD}', "name"),
        ('name = "x"\nversion = "1"\n', "dimension"),
        (f'name = "x"\nversion = "1"\n{GOOD}{GOOD}', "dimension"),
        (f'name = "x"\nversion = "1"\ncolour = 1\n{GOOD}', "colour"),
        (f'name = "x"\nversion = "1"\n{GOOD}hi = "h"\n', "dimension[0].hi"),
        (f'name = "x"\nversion = "1"\n{GOOD}universal = "no"\n', "dimension[0].universal"),
        (f'name = "x"\nversion = "1"\n{GOOD}sensitive = 1\n', "dimension[0].sensitive"),
        (f'name = "x"\nversion = "1"\n{GOOD}words_low = "no"\n', "dimension[0].words_low"),
        ('name = "x"\nversion = "1"\n[[dimension]]\nname = "a"\nlow = "l"\n', "dimension[0].high"),
        ('name = "x"\nversion = "1"\ndimension = 3\n', "dimension"),
    ],
)
def test_a_malformed_file_names_its_fault(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_space(str(path))
    assert caught.value.field == field
    assert caught.value.hint


@pytest.mark.parametrize("name", ["stile", "../style", "", "/nowhere/space.toml"])
def test_an_unknown_space_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownComponentError) as caught:
        load_space(name)
    assert "style" in caught.value.hint


def test_a_space_that_extends_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.toml"
    path.write_text(f'name = "loop"\nversion = "1"\nextends = ["{path}"]\n{GOOD}')
    with pytest.raises(ConfigError, match="extends itself"):
        load_space(str(path))
