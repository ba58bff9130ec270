"""How the application puts rights around a memory."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from befit.app.rights import finder_of, heeding
from befit.core.errors import ConfigError, MissingExtraError
from befit.memory.personal_data import PersonalData
from befit.memory.sqlite import SqliteMemory


def test_what_finds_personal_data_is_chosen(tmp_path: Path) -> None:
    assert finder_of({"use": "own"}) == PersonalData()
    only = finder_of({"use": "own", "kinds": ("email",)})
    assert [f.kind for f in only.find("a@mail.example.org, +49 30 901820")] == ["email"]
    memory = heeding(SqliteMemory(tmp_path / "b.db"), {"path": str(tmp_path / "b.db")}, only)
    assert memory.finder is only
    assert heeding(memory, {}) is memory


@pytest.mark.parametrize("table", [{"use": "nothing"}, {"use": "own", "nothing": 1}])
def test_a_senseless_finder_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        finder_of(table)
    assert caught.value.hint


@pytest.mark.skipif(find_spec("presidio_analyzer") is not None, reason="presidio is installed")
def test_a_finder_that_is_not_installed_is_said() -> None:
    with pytest.raises(MissingExtraError, match=r"presidio_analyzer|spacy"):
        finder_of({"use": "presidio"})
