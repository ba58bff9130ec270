import threading
from pathlib import Path

import pytest

from befit.core.errors import ModelFileError
from befit.models.cache import (
    MANIFEST,
    cache_dir,
    locked,
    problem_of,
    publish,
    remembered_sha256,
    sha256_of,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEFIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_cache_dir_prefers_its_own_variable_then_xdg_then_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.delenv("BEFIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "befit"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == tmp_path / ".cache" / "befit"


def test_remembered_checksum_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert remembered_sha256(path) == sha256_of(path)
    path.write_bytes(b"other")
    assert remembered_sha256(path) == sha256_of(path)


def test_remembered_checksum_survives_a_broken_note(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    remembered_sha256(path)
    for note in (cache / "checksums").iterdir():
        note.write_text("{")
    assert remembered_sha256(path) == sha256_of(path)


def test_missing_file_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        sha256_of(tmp_path / "none")
    with pytest.raises(ModelFileError):
        remembered_sha256(tmp_path / "none")


def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "m"
    publish(folder, lambda draft: (draft / "weights").write_text("old"), {})

    def fail(draft: Path) -> None:
        (draft / "weights").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        publish(folder, fail, {})
    assert [path.name for path in folder.parent.iterdir()] == ["m"]
    assert (folder / "weights").read_text() == "old"
    assert problem_of(folder, full=True) == ""


def test_damage_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    publish(folder, lambda draft: (draft / "weights").write_text("12345"), {})
    (folder / "weights").write_text("12349")
    assert problem_of(folder, full=False) == ""
    assert problem_of(folder, full=True) == "weights has the wrong checksum"
    (folder / "weights").write_text("1")
    assert problem_of(folder, full=False) == "weights has the wrong size"
    (folder / "weights").unlink()
    assert problem_of(folder, full=False) == "weights is missing"
    (folder / MANIFEST).write_text("[]")
    assert problem_of(folder, full=False) == f"{MANIFEST} does not read"


def test_the_lock_admits_one_at_a_time() -> None:
    inside, most = 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with locked("m"):
                with guard:
                    inside += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_cache_that_cannot_be_written_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = tmp_path / "blocker"
    blocker.write_text("a file, where a folder is wanted")
    monkeypatch.setenv("BEFIT_CACHE", str(blocker))
    with pytest.raises(ModelFileError, match="cannot be written") as caught, locked("m"):
        pass
    assert "BEFIT_CACHE" in caught.value.hint
    assert remembered_sha256(blocker) == sha256_of(blocker)
