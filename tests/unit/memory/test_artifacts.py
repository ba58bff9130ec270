"""The shelf: copies, promotions with a history, erased with the owner."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.core.artifact import Artifact
from befit.core.errors import FullStoreError, InputError
from befit.core.people import UserId
from befit.memory.artifacts import SqliteArtifacts
from befit.testing import check_options

AT = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
ADA = UserId("ada")


def artifact(name: str, owner: UserId | None = None, kind: str = "reward") -> Artifact:
    return Artifact(
        id=name, kind=kind, owner=owner, base="minilm-l6", at=AT, metrics={"accuracy": 0.7}
    )


@pytest.fixture
def shelf(tmp_path: Path) -> SqliteArtifacts:
    return SqliteArtifacts(tmp_path / "befit.db")


@pytest.fixture
def learned(tmp_path: Path) -> Path:
    folder = tmp_path / "learned"
    (folder / "deep").mkdir(parents=True)
    (folder / "head.bin").write_bytes(b"weights")
    (folder / "deep" / "more.json").write_text("{}")
    return folder


def test_options() -> None:
    check_options(SqliteArtifacts("x.db"))


def test_files_are_copied_and_never_changed(shelf: SqliteArtifacts, learned: Path) -> None:
    shelf.put(artifact("one"), learned)
    (learned / "head.bin").write_bytes(b"changed")
    shelf.put(artifact("one"), learned)
    assert (shelf.folder("one") / "head.bin").read_bytes() == b"weights"
    assert (shelf.folder("one") / "deep" / "more.json").exists()


def test_promotion_and_rollback_are_a_history(shelf: SqliteArtifacts, learned: Path) -> None:
    assert shelf.active(None, "reward") is None
    for name in ("one", "two"):
        shelf.put(artifact(name), learned)
        shelf.promote(name)
    assert shelf.active(None, "reward") == artifact("two")
    assert shelf.rollback(None, "reward") == artifact("one")
    assert shelf.active(None, "reward") == artifact("one")
    assert shelf.rollback(None, "reward") is None
    assert shelf.rollback(None, "reward") is None


def test_owners_and_kinds_are_apart(shelf: SqliteArtifacts, learned: Path) -> None:
    for made in (artifact("all"), artifact("hers", ADA), artifact("lora", ADA, "adapter")):
        shelf.put(made, learned)
        shelf.promote(made.id)
    assert shelf.active(None, "reward") == artifact("all")
    assert shelf.active(ADA, "reward") == artifact("hers", ADA)
    assert shelf.active(ADA, "adapter") == artifact("lora", ADA, "adapter")
    assert shelf.active(UserId("bob"), "reward") is None


def test_erasing_takes_the_files_along(shelf: SqliteArtifacts, learned: Path) -> None:
    for made in (artifact("all"), artifact("hers", ADA)):
        shelf.put(made, learned)
        shelf.promote(made.id)
    hers = shelf.folder("hers")
    assert shelf.erase(ADA) == 1
    assert not hers.exists()
    assert shelf.active(ADA, "reward") is None
    assert shelf.active(None, "reward") == artifact("all")
    assert shelf.erase(ADA) == 0


def test_what_is_not_there_is_said(shelf: SqliteArtifacts, tmp_path: Path) -> None:
    for use in (shelf.folder, shelf.promote):
        with pytest.raises(InputError) as caught:
            use("nothing")
        assert caught.value.field == "artifact_id"
    with pytest.raises(InputError) as caught:
        shelf.put(artifact("x"), tmp_path / "nowhere")
    assert caught.value.field == "folder"


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b", "x" * 200])
def test_an_id_is_never_a_way_out_of_the_shelf(
    shelf: SqliteArtifacts, learned: Path, name: str
) -> None:
    with pytest.raises(InputError):
        shelf.put(artifact(name), learned)


def test_a_full_disk_leaves_nothing_half_copied(
    shelf: SqliteArtifacts, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FullStoreError):
        shelf.put(artifact("one"), learned)
    monkeypatch.undo()
    folder = Path(f"{shelf.path}.artifacts")
    assert list(folder.iterdir()) == []
    with pytest.raises(InputError):
        shelf.folder("one")
