"""Several processes on one file at once: all writes are kept, and each sees the others'."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from befit.core.dialogue import Context
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.sqlite import SqliteMemory

AT = datetime(2026, 3, 1, tzinfo=UTC)
ADA = UserId("ada")

PEER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from befit.core.dialogue import Context
from befit.core.people import EvidenceKind
from befit.core.preference import Evidence
from befit.memory.sqlite import SqliteMemory

path, me, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
memory, at = SqliteMemory(path), datetime(2026, 3, 1, tzinfo=UTC)

def write(n):
    memory.remember([Evidence(id=f"{me}-{n}", user="ada", kind=EvidenceKind.STATED, at=at,
                              text=f"word {n}", values={"length": -0.5})])
    found = {each.id for each in memory.evidence("ada")}
    assert f"{me}-{n}" in found, "own write not seen"
    memory.recall(Context(user="ada", messages=(), at=at))

with ThreadPoolExecutor(4) as pool:
    list(pool.map(write, range(count)))
"""


def peer(path: Path, name: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PEER, str(path), name, str(count)],
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_write_and_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "befit.db"  # both also race to make the tables
    peers = [peer(path, name, 60) for name in ("a", "b")]
    for each in peers:
        _, fault = each.communicate(timeout=120)
        assert each.returncode == 0, fault
    memory = SqliteMemory(path)
    found = [e.id for e in memory.evidence(ADA)]
    assert sorted(found) == sorted(f"{name}-{n}" for name in "ab" for n in range(60))
    (belief,) = memory.recall(Context(user=ADA, messages=(), at=AT)).preferences
    assert belief.mean < -0.49
    memory._store.check()


def test_a_reader_sees_what_another_process_wrote(tmp_path: Path) -> None:
    path = tmp_path / "befit.db"
    memory = SqliteMemory(path)
    assert memory.evidence(ADA) == []
    seen, until = 0, time.monotonic() + 60
    with peer(path, "a", 40) as writer:
        while seen < 40 and time.monotonic() < until:
            now = len(memory.evidence(ADA))
            assert now >= seen  # never back
            seen = now
    assert writer.returncode == 0
    assert seen == 40


def test_forgetting_while_others_write_erases_only_what_it_should(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "befit.db")

    def write(user: str) -> None:
        for n in range(60):
            memory.remember(
                [Evidence(id=f"{n}", user=UserId(user), kind=EvidenceKind.STATED, at=AT, text=user)]
            )

    memory.remember([Evidence(id="x", user=ADA, kind=EvidenceKind.STATED, at=AT, text="gone")])
    threads = [threading.Thread(target=write, args=(f"u{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    assert memory.forget(ADA) == 1
    for thread in threads:
        thread.join()
    assert memory.evidence(ADA) == []
    assert [len(memory.evidence(UserId(f"u{n}"))) for n in range(4)] == [60] * 4
