"""Sealing: the round trip, nothing moved or changed opens, a dropped key opens nothing."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from befit.core.errors import BefitError, ConfigError, CorruptStoreError
from befit.core.people import UserId
from befit.memory.keyring import FileKeyRing, KeyRing
from befit.memory.vault import OVERHEAD, KeyShelf, Vault, place_of
from befit.memory.vault_shelf import FolderShelf

ADA, BOB = UserId("ada"), UserId("bob")
HERE = place_of("evidence", "1")


def _vault(folder: Path, tenant: str = "") -> Vault:
    ring, shelf = FileKeyRing(path=folder / "master"), FolderShelf(path=folder / "keys")
    assert isinstance(ring, KeyRing)
    assert isinstance(shelf, KeyShelf)
    return Vault(ring=ring, shelf=shelf, tenant=tenant)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return _vault(tmp_path_factory.mktemp("vault"))


places = st.builds(
    place_of, st.sampled_from(["evidence", "turns"]), st.text(max_size=5), st.integers(0, 3)
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([ADA, BOB]), places, st.binary(max_size=200))
def test_what_is_sealed_opens(vault: Vault, person: UserId, place: bytes, plain: bytes) -> None:
    sealed = vault.seal(person, place, plain)
    assert len(sealed) == len(plain) + OVERHEAD
    assert vault.open(person, place, sealed) == plain
    assert vault.seal(person, place, plain) != sealed


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(st.sampled_from([ADA, BOB]), places), st.tuples(st.sampled_from([ADA, BOB]), places)
)
def test_what_is_moved_does_not_open(
    vault: Vault, one: tuple[UserId, bytes], other: tuple[UserId, bytes]
) -> None:
    for person in (ADA, BOB):
        vault.seal(person, HERE, b"")
    sealed = vault.seal(*one, b"plain")
    if one == other:
        assert vault.open(*other, sealed) == b"plain"
    else:
        with pytest.raises(CorruptStoreError):
            vault.open(*other, sealed)


@settings(max_examples=80, deadline=None)
@given(st.binary(min_size=1, max_size=40), st.data())
def test_what_is_changed_does_not_open(vault: Vault, plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(vault.seal(ADA, HERE, plain))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CorruptStoreError):
        vault.open(ADA, HERE, bytes(sealed))
    with pytest.raises(CorruptStoreError):
        vault.open(ADA, HERE, bytes(sealed[: data.draw(st.integers(0, len(sealed) - 1))]))


def test_another_tenant_opens_nothing(tmp_path: Path) -> None:
    one, other = _vault(tmp_path, "one"), _vault(tmp_path, "other")
    sealed = one.seal(ADA, HERE, b"plain")
    other.seal(ADA, HERE, b"")
    with pytest.raises(CorruptStoreError):
        other.open(ADA, HERE, sealed)


def test_a_dropped_key_opens_nothing_in_any_process(tmp_path: Path) -> None:
    vault, beside = _vault(tmp_path), _vault(tmp_path)
    kept, sealed = vault.seal(BOB, HERE, b"kept"), vault.seal(ADA, HERE, b"gone")
    assert beside.open(ADA, HERE, sealed) == b"gone"  # and keeps the key ready
    assert vault.forget(ADA)
    assert not vault.forget(ADA)
    for each in (vault, beside, _vault(tmp_path)):
        with pytest.raises(CorruptStoreError, match="gone"):
            each.open(ADA, HERE, sealed)
        assert each.open(BOB, HERE, kept) == b"kept"
    vault.seal(ADA, HERE, b"a stranger again")
    for each in (vault, beside):
        with pytest.raises(CorruptStoreError):
            each.open(ADA, HERE, sealed)


def test_wrapped_keys_swapped_between_people_do_not_open(tmp_path: Path) -> None:
    vault = _vault(tmp_path)
    sealed = vault.seal(ADA, HERE, b"plain")
    vault.seal(BOB, HERE, b"")
    one, other = sorted((tmp_path / "keys").glob("??/*"))
    spare = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(spare)
    with pytest.raises(CorruptStoreError):
        _vault(tmp_path).open(ADA, HERE, sealed)


def test_rotation_while_serving_loses_nothing(tmp_path: Path) -> None:
    vault, beside = _vault(tmp_path), _vault(tmp_path)
    before = (tmp_path / "keys").glob("??/*")
    people = [UserId(f"person {n}") for n in range(20)]
    sealed = {p: vault.seal(p, HERE, p.encode()) for p in people}
    wrapped = {file: file.read_bytes() for file in before}

    def serve(n: int) -> bool:
        fresh = UserId(f"newcomer {n}")
        return (
            beside.open(people[n % 20], HERE, sealed[people[n % 20]]) == people[n % 20].encode()
            and beside.open(fresh, HERE, beside.seal(fresh, HERE, b"new")) == b"new"
        )

    with ThreadPoolExecutor(3) as pool:
        served = pool.map(serve, range(40))
        assert vault.rotate() >= len(people)
        assert all(served)
    vault.rotate()
    for file, old in wrapped.items():
        with pytest.raises(CorruptStoreError, match="lost"):
            vault.ring.unwrap(old, b"")
        assert file.read_bytes() != old
    again = _vault(tmp_path)
    assert all(again.open(p, HERE, sealed[p]) == p.encode() for p in people)
    assert again.open(UserId("newcomer 3"), HERE, again.seal(UserId("newcomer 3"), HERE, b"x"))


def test_a_key_dropped_during_rotation_stays_dropped(tmp_path: Path) -> None:
    vault = _vault(tmp_path)
    sealed = vault.seal(ADA, HERE, b"plain")
    (name,) = vault.shelf.names()
    old = vault.shelf.get(name) or b""
    vault.forget(ADA)
    assert not vault.shelf.replace(name, old, b"anew")
    with pytest.raises(CorruptStoreError):
        vault.open(ADA, HERE, sealed)


def test_one_of_two_who_enrol_a_person_wins(tmp_path: Path) -> None:
    vaults = [_vault(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        sealed = list(pool.map(lambda vault: vault.seal(ADA, HERE, b"plain"), vaults))
    assert [vaults[0].open(ADA, HERE, each) for each in sealed] == [b"plain"] * 4
    assert len(list(vaults[0].shelf.names())) == 1


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    vault = _vault(tmp_path)
    vault.seal(ADA, HERE, b"plain")
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert len(files) == 4  # master and shelf, each with its lock
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert b"ada" not in b"".join(f.name.encode() + f.read_bytes() for f in files)
    (tmp_path / "master").chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        _vault(tmp_path).seal(ADA, HERE, b"plain")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": "befit.keys", "keys": {}}', b"\xff"])
def test_a_damaged_file_of_master_keys_is_refused(tmp_path: Path, content: bytes) -> None:
    vault = _vault(tmp_path)
    sealed = vault.seal(ADA, HERE, b"plain")
    (tmp_path / "master").write_bytes(content)
    with pytest.raises(CorruptStoreError) as caught:
        _vault(tmp_path).open(ADA, HERE, sealed)
    assert caught.value.hint
    (tmp_path / "master").unlink()
    with pytest.raises(CorruptStoreError, match="gone"):
        _vault(tmp_path).open(ADA, HERE, sealed)


@given(st.binary(max_size=60))
def test_any_bytes_for_a_wrapped_key_are_refused(
    tmp_path_factory: pytest.TempPathFactory, wrapped: bytes
) -> None:
    ring = FileKeyRing(path=tmp_path_factory.getbasetemp() / "shared-master")
    ring.wrap(os.urandom(32), b"")
    with pytest.raises(BefitError):
        ring.unwrap(wrapped, b"")
