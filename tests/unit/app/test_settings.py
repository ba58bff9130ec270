from pathlib import Path

import pytest

from befit.app.settings import config_path, load_settings
from befit.core.errors import ConfigError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFIT_CONFIG", raising=False)


def write(text: str) -> None:
    Path("befit.toml").write_text(text, "utf-8")


def test_first_start_without_any_file() -> None:
    settings = load_settings()
    assert settings.memory["use"] == "sqlite"
    assert settings.server.port == 8400


def test_variable_stands_over_file_and_file_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    write('candidates = 2\n[server]\nhost = "::1"\nport = 1\n')
    monkeypatch.setenv("BEFIT_SERVER__PORT", "2")
    settings = load_settings()
    assert (settings.candidates, settings.server.host, settings.server.port) == (2, "::1", 2)


def test_table_without_use_changes_options_of_the_default() -> None:
    write('[memory]\npath = "other.db"\n')
    assert load_settings().memory == {"use": "sqlite", "path": "other.db", "space": "style"}


def test_table_of_another_component_takes_no_defaults() -> None:
    write('[memory]\nuse = "mine:Memory"\n')
    assert load_settings().memory == {"use": "mine:Memory"}


def test_config_variable_names_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BEFIT_CONFIG", str(tmp_path / "no.toml"))
    assert config_path() == tmp_path / "no.toml"
    with pytest.raises(ConfigError, match=r"no\.toml"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "field", "way_out"),
    [
        ("[server]\nprot = 1\n", "server.prot", "did you mean server.port?"),
        ("[sever]\nport = 1\n", "sever", "did you mean server?"),
        ("[server]\nport = 99999\n", "server.port", "correct the setting"),
        ("candidates = 0\n", "candidates", "correct the setting"),
        ("[server\n", "befit.toml", "correct the file"),
    ],
)
def test_mistake_in_the_file_is_named(text: str, field: str, way_out: str) -> None:
    write(text)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert caught.value.field == field
    assert caught.value.hint == way_out


@pytest.mark.parametrize("name", ["BEFIT_SEVER__PORT", "BEFIT_SERVER__PROT"])
def test_misspelt_variable_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(ConfigError, match="unknown option") as caught:
        load_settings()
    assert "did you mean" in caught.value.hint


def test_file_that_is_not_utf8_is_named() -> None:
    Path("befit.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="does not read"):
        load_settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEFIT_SERVER__OPENWEBUI_SECRET", "hush")
    settings = load_settings()
    assert settings.server.openwebui_secret == "hush"
    assert "hush" not in repr(settings)
