import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.app.server.keys import FRESH_S, PREFIX, KeyStore
from befit.core.errors import CorruptStoreError, InputError, StoreError
from befit.core.people import UserId

AT = datetime(2026, 3, 1, tzinfo=UTC)
ANA = UserId("ana")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "befit-keys.db"


def test_a_personal_key_knows_its_person_and_a_service_key_none(path: Path) -> None:
    keys = KeyStore(path)
    mine, service = keys.create(ANA, AT), keys.create(None, AT)
    found, other = keys.find(mine), keys.find(service)
    assert found is not None
    assert other is not None
    assert (found.person, found.created, other.person) == (ANA, AT, None)
    assert mine != service
    assert mine.startswith(PREFIX)


def test_no_byte_of_the_secret_is_stored(path: Path) -> None:
    plaintext = KeyStore(path).create(ANA, AT).removeprefix(PREFIX)
    kept = b"".join(f.read_bytes() for f in path.parent.iterdir())
    assert not any(plaintext[i : i + 12].encode() in kept for i in range(len(plaintext) - 12))


def test_the_files_are_their_owners_alone(path: Path) -> None:
    KeyStore(path).create(ANA, AT)
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in path.parent.iterdir()}
    assert modes == {path.name: 0o600, path.name + ".pepper": 0o600}


def test_every_changed_character_makes_a_wrong_key(path: Path) -> None:
    keys = KeyStore(path)
    plaintext = keys.create(ANA, AT)
    for i in range(len(plaintext)):
        other = "A" if plaintext[i] != "A" else "B"
        assert keys.find(plaintext[:i] + other + plaintext[i + 1 :]) is None
    assert keys.find("") is None
    assert keys.find(plaintext[:-1]) is None
    assert keys.find("sk-other-key") is None


def test_keys_made_and_revoked_by_another_process_count(path: Path) -> None:
    server = KeyStore(path)
    first = server.create(ANA, AT)
    assert server.find(first) is not None
    made = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from datetime import *\n"
            "from befit.app.server.keys import KeyStore\n"
            "k = KeyStore(Path(sys.argv[1])); old = k.keys()[0].id\n"
            "print(k.create('ben', datetime.now(UTC))); k.revoke(old)",
            str(path),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    found = server.find(made)
    assert found is not None
    assert found.person == "ben"
    deadline = time.monotonic() + 2 * FRESH_S
    while server.find(first) is not None:
        assert time.monotonic() < deadline


def test_a_person_can_lose_every_key(path: Path) -> None:
    keys = KeyStore(path)
    mine, again, others = keys.create(ANA, AT), keys.create(ANA, AT), keys.create(UserId("b"), AT)
    assert keys.revoke_person(ANA) == 2
    assert keys.find(mine) is keys.find(again) is None
    assert keys.find(others) is not None
    assert not keys.revoke("nothing")
    assert b"ana" not in path.read_bytes()


def test_a_lost_pepper_is_said_and_not_replaced(path: Path) -> None:
    plaintext = KeyStore(path).create(ANA, AT)
    path.with_name(path.name + ".pepper").unlink()
    with pytest.raises(CorruptStoreError, match="pepper"):
        KeyStore(path).find(plaintext)


def test_a_damaged_file_is_a_typed_error(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(CorruptStoreError):
        KeyStore(path).keys()


def test_a_folder_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        KeyStore(tmp_path / "file" / "keys.db").keys()


@pytest.mark.parametrize("person", ["", "  ", "a\nb", "x" * 257])
def test_a_senseless_person_is_refused(path: Path, person: str) -> None:
    with pytest.raises(InputError):
        KeyStore(path).create(UserId(person), AT)
