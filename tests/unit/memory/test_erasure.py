"""The byte search finds what is there, wherever it is."""

from pathlib import Path

import pytest

from befit.memory.erasure import search_bytes


def test_counts_every_occurrence_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a.db").write_bytes(b"..needle..needleneedle")
    (tmp_path / "a.db-wal").write_bytes(b"\0" * 9000 + b"needle")
    (tmp_path / "deep" / "er" / "empty").write_bytes(b"")
    (tmp_path / "deep" / "er" / "cache").write_bytes(b"pin and needle")
    assert search_bytes([tmp_path], [b"needle"]) == 5
    assert search_bytes([tmp_path / "a.db", tmp_path], [b"needle", b"pin", b"needle"]) == 6
    assert search_bytes([tmp_path / "a.db"], [b"haystack"]) == 0
    assert search_bytes([tmp_path / "nowhere"], [b"needle"]) == 0


def test_overlapping_occurrences_count(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"aaaa")
    assert search_bytes([tmp_path], [b"aa"]) == 3


def test_an_empty_needle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        search_bytes([tmp_path], [b"a", b""])


def test_a_file_that_goes_while_others_are_searched_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"needle")
    opened = Path.open

    def vanishing(path: Path, mode: str) -> object:
        if path.name == "b":
            path.unlink()
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", vanishing)
    assert search_bytes([tmp_path], [b"needle"]) == 1
