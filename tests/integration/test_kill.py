"""Killed in the middle of writing, the store has lost nothing that it had acknowledged.

Eight threads of another process write and print each id once it is acknowledged; the process is
killed at a random moment. ``BEFIT_KILLS`` sets how often; 10 by default.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from befit.core.people import UserId
from befit.memory.journal import SqliteJournal
from befit.memory.sqlite import SqliteMemory
from befit.memory.store import Store

KILLS = int(os.environ.get("BEFIT_KILLS", "10"))
THREADS = 8

WRITER = """
import sys, threading
from datetime import UTC, datetime
from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.feedback import Interaction
from befit.core.people import EvidenceKind
from befit.core.preference import Evidence
from befit.memory.journal import SqliteJournal
from befit.memory.sqlite import SqliteMemory

path, run = sys.argv[1:]
memory, journal = SqliteMemory(path), SqliteJournal(path)
at = datetime(2026, 3, 1, tzinfo=UTC)
out = threading.Lock()

def acknowledge(line):
    with out:
        sys.stdout.write(line + "\\n")
        sys.stdout.flush()

def write(thread):
    user = f"u{thread}"
    for n in range(100_000):
        name = f"{run}-{thread}-{n}"
        text = name + " " + "x" * (n * 37 % 400)
        if n % 3:
            memory.remember([Evidence(id=name, user=user, kind=EvidenceKind.STATED, at=at,
                                      text=text, values={"length": 0.5})])
            acknowledge("e " + name)
        else:
            journal.record(Interaction(
                context=Context(user=user, messages=(Message("user", "?"),), at=at),
                response=Response(id=name, text=text, draft=Draft(text=text, policy="toy"),
                                  verdicts=())))
            acknowledge("t " + name)

for thread in range(8):
    threading.Thread(target=write, args=(thread,)).start()
"""


def killed(path: Path, run: int, rng: random.Random) -> list[str]:
    """Write until killed; returns what was acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    lines = (first + rest).split("\n")
    return [line for line in lines[:-1] if line]  # the last may have been cut short


@pytest.mark.timeout(60 + 10 * KILLS)
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    rng, total = random.Random(20260301), 0
    acknowledged: set[str] = set()
    for run in range(KILLS):
        path = tmp_path / f"{run // 20}.db"  # another file at times, so that checking stays short
        if run % 20 == 0:
            total, acknowledged = total + len(acknowledged), set()
        found = killed(path, run, rng)
        assert found
        acknowledged.update(found)
        memory, journal = SqliteMemory(path), SqliteJournal(path)
        users = [UserId(f"u{thread}") for thread in range(THREADS)]
        kept = Counter(f"e {e.id}" for user in users for e in memory.evidence(user))
        kept.update(f"t {turn.response.id}" for turn in journal.read())
        assert acknowledged <= kept.keys()
        assert set(kept.values()) == {1}
        Store(path).check()
        memory._store.close()
    print(f"{KILLS} kills, {total + len(acknowledged)} acknowledged, none lost")  # noqa: T201
