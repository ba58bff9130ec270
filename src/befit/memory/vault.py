"""Encryption at rest, person by person: seal, open, forget, rotate.

Each person has a data key of their own (AES-256-GCM), wrapped by a master key (`memory.keyring`)
and laid on a shelf. What is sealed is bound to its tenant, person and place (`place_of`: table, row
and version), so that a ciphertext that is moved, swapped or changed does not open. Forgetting drops
the wrapped key: what it sealed is noise from then on, in old backups too, as long as the shelf is
not backed up with them. It hides content; lengths, and who has how many rows, stay visible.

Source: NIST SP 800-38D (GCM; random 96-bit nonces, at most 2^32 a key); Boneh and Lipton 1996, "A
revocable backup system" (erasing data by erasing its key).
"""

import base64
import os
import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Protocol, runtime_checkable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from befit.core.errors import CorruptStoreError, StoreError
from befit.core.people import UserId
from befit.memory.keyring import KeyRing

OVERHEAD = 29  # bytes by which a sealed text is longer: version, nonce, tag
HEAD = "befit-sealed-1:"  # of a sealed text
_VERSION = b"\x01"
_NONCE = 12
_CACHED = 4096  # people whose data key is kept ready


def place_of(table: str, row: str, version: int = 1) -> bytes:
    """Where a ciphertext belongs.

    Args:
        table: The table.
        row: The row's id within the person.
        version: Of the row's form, or of the row where it can change; >= 0.
    """
    return framed(table.encode(), row.encode(), version.to_bytes(8, "big"))


def framed(*parts: bytes) -> bytes:
    """Parts joined so that no other parts give the same bytes."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


@runtime_checkable
class KeyShelf(Protocol):
    """Keeps wrapped data keys, one a name.

    ``stamp`` is None where there is none, and differs whenever the wrapped key does. ``add`` keeps
    what is there already and returns what stands now. ``replace`` changes only what still is
    ``old``, and says whether it did.
    """

    def stamp(self, name: str) -> object | None: ...
    def get(self, name: str) -> bytes | None: ...
    def add(self, name: str, wrapped: bytes) -> bytes: ...
    def replace(self, name: str, old: bytes, new: bytes) -> bool: ...
    def drop(self, name: str) -> bool: ...
    def names(self) -> Iterator[str]: ...


@dataclass(slots=True)
class _Ready:
    """Data keys unwrapped before, with the stamp of what they were unwrapped from."""

    keys: OrderedDict[str, tuple[object, AESGCM]] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Seals what is kept of people.

    Several threads and processes may share a shelf: a key that one drops opens nothing in any.

    Attributes:
        ring: The master keys.
        shelf: The wrapped data keys.
        tenant: Whose people these are; the same person of another tenant is a stranger.
    """

    ring: KeyRing
    shelf: KeyShelf
    tenant: str = ""
    _ready: _Ready = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ready", _Ready())

    def seal(self, person: UserId, place: bytes, plain: bytes) -> bytes:
        """Encrypt; a person without a key gets one.

        Raises:
            StoreError: The key cannot be had.
        """
        cipher = self._cipher(person) or self._enrol(person)
        nonce = os.urandom(_NONCE)
        bound = framed(self._bound(person), place)
        return _VERSION + nonce + cipher.encrypt(nonce, plain, bound)

    def open(self, person: UserId, place: bytes, sealed: bytes) -> bytes:
        """Decrypt.

        Raises:
            CorruptStoreError: It was changed or moved, is another person's, or the key is gone.
        """
        cipher = self._cipher(person)
        if cipher is None:
            raise CorruptStoreError(
                "the key of this person is gone, so what it sealed cannot be read",
                hint="restore the keys from a backup, or forget the person",
            )
        if sealed[:1] != _VERSION or len(sealed) < OVERHEAD:
            raise _damaged()
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return cipher.decrypt(nonce, body, framed(self._bound(person), place))
        except InvalidTag as error:
            raise _damaged() from error

    def forget(self, person: UserId) -> bool:
        """Destroy the person's key, and with it all that it sealed; whether there was one."""
        name = self._name(person)
        with self._ready.lock:
            self._ready.keys.pop(name, None)
        return self.shelf.drop(name)

    def rotate(self) -> int:
        """Make a new master key, wrap every data key by it, and destroy the older ones.

        Others may go on sealing and opening meanwhile. Cut short, it is to be run again.

        Returns:
            How many data keys were wrapped anew.

        Raises:
            StoreError: A key cannot be read; the older master keys stay.
        """
        self.ring.rotate()
        count = 0
        while found := self._rewrap():
            count += found
        self.ring.retire()
        return count

    def _rewrap(self) -> int:
        """Wrap anew what an older master key wrapped; how many that were."""
        count = 0
        for name in self.shelf.names():
            wrapped = self.shelf.get(name)
            if wrapped is not None and self.ring.stale(wrapped):
                bound = self._binding(name)
                new = self.ring.wrap(self.ring.unwrap(wrapped, bound), bound)
                count += self.shelf.replace(name, wrapped, new)
        return count

    def _cipher(self, person: UserId) -> AESGCM | None:
        """The person's cipher; None where they have no key."""
        name = self._name(person)
        stamp = self.shelf.stamp(name)
        if stamp is None:
            return None
        with self._ready.lock:
            ready = self._ready.keys.get(name)
            if ready is not None and ready[0] == stamp:
                self._ready.keys.move_to_end(name)
                return ready[1]
        wrapped = self.shelf.get(name)
        if wrapped is None:
            return None
        cipher = AESGCM(self.ring.unwrap(wrapped, self._binding(name)))
        with self._ready.lock:
            self._ready.keys[name] = (stamp, cipher)
            while len(self._ready.keys) > _CACHED:
                self._ready.keys.popitem(last=False)
        return cipher

    def _enrol(self, person: UserId) -> AESGCM:
        """Make the person's key; another process may be first, and then its key is the one."""
        name, key = self._name(person), AESGCM.generate_key(256)
        bound = self._binding(name)
        wrapped = self.ring.wrap(key, bound)
        if self.shelf.add(name, wrapped) == wrapped and self.ring.stale(wrapped):
            # the master key was rotated in between, and may be retired before this one is seen
            self.shelf.replace(name, wrapped, self.ring.wrap(key, bound))
        cipher = self._cipher(person)
        if cipher is None:
            raise StoreError("the person was forgotten meanwhile", hint="say it again")
        return cipher

    def _bound(self, person: UserId) -> bytes:
        return framed(self.tenant.encode(), person.encode())

    def _name(self, person: UserId) -> str:
        return sha256(self._bound(person)).hexdigest()

    def _binding(self, name: str) -> bytes:
        """What a wrapped key is bound to: the name stands for tenant and person."""
        return framed(b"befit.data-key", name.encode())


def seal_text(vault: Vault, person: UserId, place: bytes, text: str) -> str:
    """As `Vault.seal`, of text to text."""
    return HEAD + base64.b85encode(vault.seal(person, place, text.encode())).decode("ascii")


def open_text(vault: Vault, person: UserId, place: bytes, sealed: str) -> str:
    """What `seal_text` sealed.

    Raises:
        StoreError: It never was sealed.
        CorruptStoreError: It was changed or moved, is another person's, or the key is gone.
    """
    if not sealed.startswith(HEAD):
        raise unsealed()
    try:
        data = base64.b85decode(sealed[len(HEAD) :])
    except ValueError as error:
        raise _damaged() from error
    return vault.open(person, place, data).decode()


def unsealed() -> StoreError:
    """The error for a text that never was sealed."""
    return StoreError(
        "the store was written without encryption",
        hint="export its people, and import them into a new store",
    )


def _damaged() -> CorruptStoreError:
    return CorruptStoreError(
        "a sealed row was changed, moved, or is another person's",
        hint="restore a backup, or forget the row",
    )
