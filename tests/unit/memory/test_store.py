"""The store: group commit, one failure harms no other, typed errors, forks and closing."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from befit.core.errors import CorruptStoreError, ReadOnlyStoreError, StoreError
from befit.memory.erasure import owe, owed, search_bytes
from befit.memory.schema import VERSION
from befit.memory.store import Store, Work, open_store


def adding(user: str) -> Work[None]:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO users (user, tag) VALUES (?, '')", (user,))

    return work


def users(store: Store) -> list[str]:
    return store.read(
        lambda c: [user for (user,) in c.execute("SELECT user FROM users ORDER BY number")]
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "deep" / "befit.db")


def test_what_is_written_is_read_and_durable(store: Store) -> None:
    store.write(adding("ada"))
    assert users(store) == ["ada"]
    store.close()
    assert users(store) == ["ada"]  # opens again
    assert store.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    assert store.read(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert store.read(lambda c: c.execute("PRAGMA secure_delete").fetchone()) == (1,)
    assert store.read(lambda c: c.execute("PRAGMA user_version").fetchone()) == (VERSION,)
    store.check()


def test_many_threads_share_commits_and_lose_nothing(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: store.write(adding(f"u{n}")), range(400)))
    assert len(users(store)) == 400


def test_one_failure_harms_no_other(store: Store) -> None:
    store.write(adding("ada"))
    gate = threading.Event()
    held = store.submit(lambda _: gate.wait(10))
    futures = [store.submit(adding(name)) for name in ("bob", "ada", "cy")]
    gate.set()
    assert held.result(10)
    futures[0].result(10)
    with pytest.raises(StoreError, match="UNIQUE"):
        futures[1].result(10)
    futures[2].result(10)
    assert users(store) == ["ada", "bob", "cy"]


def test_an_error_of_the_caller_comes_back_as_it_is(store: Store) -> None:
    def faulty(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO users (user, tag) VALUES ('half', '')")
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        store.write(faulty)
    assert users(store) == []


def test_asyncio_may_wait_and_cancel(store: Store) -> None:
    began, gate = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> bool:
        began.set()
        return gate.wait(10)

    async def scenario() -> None:
        held = store.submit(hold)
        assert began.wait(10)
        kept, dropped = (
            asyncio.wrap_future(store.submit(adding(name))) for name in ("kept", "dropped")
        )
        dropped.cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(asyncio.wrap_future(held), kept)

    asyncio.run(scenario())
    store.write(adding("later"))
    assert users(store) == ["kept", "later"]


def test_closing_writes_what_was_handed_in(tmp_path: Path) -> None:
    store = Store(tmp_path / "befit.db")
    futures = [store.submit(adding(f"u{n}")) for n in range(50)]
    store.close()
    assert all(future.done() for future in futures)
    assert len(users(store)) == 50


def test_one_store_for_a_file_in_a_process(tmp_path: Path) -> None:
    assert open_store(tmp_path / "a.db") is open_store(tmp_path / "x" / ".." / "a.db")
    assert open_store(tmp_path / "a.db") is not open_store(tmp_path / "b.db")


def test_a_forked_child_writes_for_itself(store: Store) -> None:
    store.write(adding("parent"))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.write(adding("child"))
            code = 0 if users(store) == ["parent", "child"] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.write(adding("after"))
    assert users(store) == ["parent", "child", "after"]


def test_scrub_empties_the_log(store: Store) -> None:
    store.write(adding("ada"))
    log = store.path.with_name("befit.db-wal")
    assert log.stat().st_size > 0
    store.scrub()
    assert log.stat().st_size == 0


def large(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the file were one that is searched in the background."""
    monkeypatch.setattr("befit.memory.store._AT_ONCE", 0)


def leave_a_copy(store: Store) -> bytes:
    """A deleted row of which a copy is still in the file, and is owed."""
    mark = b"\0copy of a row"
    store.write(adding("ada"))
    store.scrub()
    store.close()
    with store.path.open("r+b") as file:  # the unused end of a page that is in use
        file.seek(8192 + 4000)
        assert file.read(len(mark)) == bytes(len(mark))
        file.seek(8192 + 4000)
        file.write(mark)
    store.write(lambda c: c.execute("SELECT 1").fetchone())
    if settler := store._later.thread:
        settler.join()  # what is owed from before; what comes now is owed and not yet sought
    store.write(lambda c: owe(c, [mark]))
    assert search_bytes([store.path], [mark]) == 1
    return mark


def test_copies_of_deleted_rows_are_sought_and_cleared(store: Store) -> None:
    mark = leave_a_copy(store)
    store.scrub()
    assert search_bytes([store.path.parent], [mark]) == 0
    assert store.read(owed) == {}
    assert users(store) == ["ada"]


def test_a_large_file_is_searched_in_the_background(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(store, monkeypatch)
    mark = leave_a_copy(store)
    with store._settling:  # it cannot begin yet, and nobody waits for it
        store.scrub()
        assert store.read(owed)
    store.close()
    assert search_bytes([store.path.parent], [mark]) == 0
    assert store.read(owed) == {}


def test_a_process_that_ends_leaves_no_copy_behind(store: Store) -> None:
    mark = leave_a_copy(store)
    store.close()
    script = (
        "import sys; from befit.memory import store; store._AT_ONCE = 0;"
        "kept = store.Store(sys.argv[1]); kept.write(lambda c: None); kept.scrub()"
    )
    subprocess.run([sys.executable, "-c", script, str(store.path)], check=True)
    assert search_bytes([store.path.parent], [mark]) == 0


def test_a_search_that_was_cut_short_is_taken_up_at_the_next_start(store: Store) -> None:
    mark = leave_a_copy(store)
    store.close()  # no scrub: as if the process had died
    assert search_bytes([store.path], [mark]) == 1
    again = Store(store.path)
    again.write(adding("bob"))
    again.close()
    assert search_bytes([store.path.parent], [mark]) == 0
    assert Store(store.path).read(owed) == {}


def test_what_cannot_be_cleared_yet_stays_owed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("befit.memory.schema._BUSY", 10)
    mark = leave_a_copy(store)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM users").fetchall()
    with pytest.raises(StoreError):
        store.settle()
    assert list(store.read(owed).values()) == [mark]
    other.close()
    store.settle()
    assert search_bytes([store.path.parent], [mark]) == 0


def test_scrub_says_so_when_a_snapshot_is_in_the_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("befit.memory.schema._BUSY", 10)
    store.write(adding("ada"))
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM users").fetchall()
    store.write(adding("bob"))
    with pytest.raises(StoreError, match="another process"):
        store.scrub()
    other.close()
    store.scrub()


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "befit.db").mkdir()
    store = Store(tmp_path / "befit.db")
    for use in (lambda: store.write(adding("ada")), lambda: users(store)):
        with pytest.raises(ReadOnlyStoreError) as caught:
            use()
        assert "writable" in caught.value.hint


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReadOnlyStoreError):
        users(Store(tmp_path / "file" / "befit.db"))


def test_a_connection_that_may_only_read_is_refused_by_type(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(adding("ada"))
    store.close()
    connect = sqlite3.connect

    def read_only(path: Path, **options: object) -> sqlite3.Connection:
        return connect(f"{path.as_uri()}?mode=ro", uri=True, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", read_only)
    assert users(store) == ["ada"]
    with pytest.raises(ReadOnlyStoreError) as caught:
        store.write(adding("bob"))
    assert caught.value.hint
    monkeypatch.undo()
    store.close()
    store.write(adding("bob"))
    assert users(store) == ["ada", "bob"]


FILL = """
import resource, sys
from befit.core.errors import FullStoreError
from befit.memory.store import Store
store = Store(sys.argv[1])
store.write(lambda c: c.execute("SELECT 1").fetchone())
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
kept = 0
try:
    for n in range(10_000):
        row = (f"{n:04}" * 900,)
        add = "INSERT INTO users (user, tag) VALUES (?, '')"
        store.write(lambda c: c.execute(add, row).rowcount)
        kept += 1
except FullStoreError as error:
    print(kept, error.hint)
"""


def test_a_full_disk_is_an_error_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "befit.db"
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "free space" in done.stdout, done.stderr
    kept = int(done.stdout.split()[0])
    assert kept > 3
    store = Store(path)
    assert len(users(store)) == kept
    store.check()
    store.write(adding("more"))


@pytest.mark.parametrize(
    "damage", [b"not a database at all", b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_damaged_file_is_an_error(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "befit.db"
    path.write_bytes(damage * 4)
    with pytest.raises(CorruptStoreError) as caught:
        users(Store(path))
    assert "backup" in caught.value.hint
    with pytest.raises(CorruptStoreError):
        Store(path).write(adding("ada"))
    assert path.read_bytes() == damage * 4


def test_a_damaged_page_is_found_by_the_check(store: Store) -> None:
    for n in range(300):
        store.submit(adding(f"{n}" * 100))
    store.close()
    raw = bytearray(store.path.read_bytes())
    raw[8192 * 3 : 8192 * 3 + 4000] = b"\xff" * 4000
    store.path.write_bytes(raw)
    with pytest.raises(CorruptStoreError):
        store.check()


def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(CorruptStoreError, match="no befit store"):
        users(Store(path))


def test_a_file_of_a_newer_version_is_refused(store: Store) -> None:
    store.write(adding("ada"))
    store.write(lambda c: c.execute("PRAGMA user_version=99").fetchall())
    store.close()
    with pytest.raises(StoreError, match="version 99"):
        users(store)


def test_scrub_rewrites_the_file_where_a_copy_of_a_deleted_row_is_left(store: Store) -> None:
    store.write(adding("a person with a name"))
    store.write(lambda c: c.execute("PRAGMA secure_delete=OFF").fetchall())  # as a moved page does
    store.write(lambda c: c.execute("DELETE FROM users").rowcount)
    store.scrub()
    assert search_bytes([store.path.parent], [b"with a name"]) > 0
    store.write(lambda c: owe(c, [b"with a name"]))
    store.scrub()
    assert search_bytes([store.path.parent], [b"with a name"]) == 0
    assert users(store) == []
