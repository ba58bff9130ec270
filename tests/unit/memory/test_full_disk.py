"""A disk that is really full: typed errors, nothing acknowledged lost, nothing half done."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from befit.core.errors import FullStoreError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.sqlite import SqliteMemory

folder = Path(sys.argv[1])
filler = folder / "filler"
filler.write_bytes(bytes(400_000))
memory = SqliteMemory(folder / "befit.db")
ledger = memory.ledger()
said = Evidence(id="", user=UserId("ada"), kind=EvidenceKind.STATED,
                at=datetime(2026, 3, 1, tzinfo=UTC), text="word " * 400)
kept, told = [], None
for n in range(2_000):
    pair = [replace(said, id=f"{n}-{side}") for side in "ab"]  # all or none
    try:
        memory.remember(pair)
    except FullStoreError as error:
        told = error
        break
    kept += [each.id for each in pair]
assert told is not None and "free space" in told.hint, "it never was full"
assert len(kept) > 20
(folder / "rest").write_bytes(b"")
with open(folder / "rest", "ab", buffering=0) as rest:  # the last free byte
    try:
        while rest.write(bytes(512)):
            pass
    except OSError:
        pass
try:
    memory.remember([replace(said, id="more", text="x" * 20_000)])
    raise SystemExit("a full disk took more")
except FullStoreError:
    pass
filler.unlink()
(folder / "rest").unlink()
again = SqliteMemory(folder / "befit.db")
assert [e.id for e in again.evidence(UserId("ada"))] == kept, "something acknowledged is lost"
memory.remember([replace(said, id="more")])
assert memory.forget(UserId("ada"), kept[:10]) == 10
memory._store.check()
print("whole", len(kept))
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare: no small disk to fill")
def test_a_full_disk_takes_nothing_away(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    apart = ["unshare", "--mount", "--map-root-user"]
    mount = f'mount -t tmpfs -o size=1m none "{disk}"'
    if subprocess.run([*apart, "sh", "-c", mount], check=False, capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    command = [*apart, "sh", "-c", f'{mount} && exec "$0" "$@"', sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        [*command, str(disk)], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.startswith("whole"), done.stderr
