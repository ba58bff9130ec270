"""Spaces: the shipped ones are whole; a malformed file is refused by the field at fault."""

from pathlib import Path

import pytest

from befit.core.errors import ConfigError, UnknownComponentError
from befit.features.style import FEATURES
from befit.memory.spaces import load_space


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


def test_universal_values_are_in_both_spaces_and_nothing_asks_for_less_of_them() -> None:
    for name in ("style", "values"):
        universal = [d for d in load_space(name).dimensions if d.universal]
        assert [d.name for d in universal] == ["harmless", "honest", "helpful"]
        assert not any(d.ask_low or d.words_low or d.feature for d in universal)


def test_no_word_asks_for_two_dimensions() -> None:
    words = [w for d in load_space("style").dimensions for w in (*d.words_low, *d.words_high)]
    assert sorted(words) == sorted(set(words))


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
