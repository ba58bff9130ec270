"""Master keys: they wrap the data key of each person and never see what it encrypts.

`KeyRing` is what a vault asks of whoever keeps them; `FileKeyRing` keeps them in one local file,
`memory.keyring_transit` leaves them on a server. A ring holds older keys until told that nothing is
wrapped by them any more. It knows nothing of people: what a wrapped key is bound to is the caller's
affair.

Source: envelope encryption, NIST SP 800-57 part 1 rev. 5, section 5.3.5 (key-wrapping keys).
"""

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from befit.core.errors import ConfigError, CorruptStoreError, StoreError

FORMAT = "befit.keys"
_NONCE = 12  # bytes
_LOST = "put the file of master keys back from its backup; without it nothing can be read"


@runtime_checkable
class KeyRing(Protocol):
    """Keeps master keys.

    ``wrap`` always uses the newest; ``unwrap`` any that is kept. ``bound`` is authenticated beside
    the key, so that what was wrapped for one person opens for no other. ``stale`` says whether a
    wrapped key was wrapped by another than the newest. ``retire`` destroys all but the newest,
    where the ring can.
    """

    def wrap(self, key: bytes, bound: bytes) -> bytes: ...
    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes: ...
    def stale(self, wrapped: bytes) -> bool: ...
    def rotate(self) -> None: ...
    def retire(self) -> None: ...


@dataclass(slots=True)
class _Keys:
    """What the file held when it was last read."""

    stamp: tuple[int, int, int] = (0, 0, 0)
    current: str = ""
    ciphers: dict[str, AESGCM] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKeyRing:
    """The default: AES-256 master keys in a file that its owner alone may read.

    The file is made with the first key, whole or not at all. Several processes may share it; each
    notices within one call that another has rotated.

    Attributes:
        path: The file; keep it, and its backups, apart from the data.
    """

    path: str | Path = "befit.keys"
    _keys: _Keys = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keys", _Keys())

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """Encrypt a data key with the newest master key.

        Raises:
            StoreError: The file cannot be read or made.
        """
        name, cipher = self._current()
        nonce = os.urandom(_NONCE)
        head = bytes([1, len(name)]) + name.encode()
        return head + nonce + cipher.encrypt(nonce, key, head + bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The data key.

        Raises:
            CorruptStoreError: It was changed, belongs to someone else, or its master key is lost.
        """
        name = _name(wrapped)
        cipher = self._read().get(name)
        if cipher is None:
            raise CorruptStoreError(f"the master key {name!r} is lost", hint=_LOST)
        at = 2 + len(name)
        nonce, body = wrapped[at : at + _NONCE], wrapped[at + _NONCE :]
        try:
            return cipher.decrypt(nonce, body, wrapped[:at] + bound)
        except (InvalidTag, ValueError) as error:
            raise CorruptStoreError(
                "a wrapped key was changed, or is another person's", hint="restore a backup"
            ) from error

    def stale(self, wrapped: bytes) -> bool:
        """Whether an older master key wrapped it."""
        return _name(wrapped) != self._current()[0]

    def rotate(self) -> None:
        """Make a new master key the newest; the older ones still unwrap."""
        with alone(Path(self.path)):
            kept = self._stored()
            name = f"k{1 + max((int(each[1:]) for each in kept), default=0)}"
            self._store({**kept, name: os.urandom(32)})

    def retire(self) -> None:
        """Destroy all master keys but the newest; rewrap what they wrapped before."""
        with alone(Path(self.path)):
            kept = self._stored()
            if len(kept) > 1:
                newest = max(kept, key=lambda name: int(name[1:]))
                self._store({newest: kept[newest]})

    def _current(self) -> tuple[str, AESGCM]:
        if not Path(self.path).exists():
            with alone(Path(self.path)):
                if not Path(self.path).exists():
                    self._store({"k1": os.urandom(32)})
        ciphers = self._read()
        return self._keys.current, ciphers[self._keys.current]

    def _read(self) -> Mapping[str, AESGCM]:
        """The keys as the file has them now."""
        try:
            found = Path(self.path).stat()
        except FileNotFoundError as error:
            raise CorruptStoreError(f"{self.path} is gone", hint=_LOST) from error
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self._keys.lock:
            if stamp != self._keys.stamp:
                kept = self._stored()
                self._keys.ciphers = {name: AESGCM(key) for name, key in kept.items()}
                self._keys.current = max(kept, key=lambda name: int(name[1:]))
                self._keys.stamp = stamp
            return self._keys.ciphers

    def _stored(self) -> dict[str, bytes]:
        """Read the file; refuse one that others may read.

        Raises:
            ConfigError: Its mode is too wide.
            CorruptStoreError: It does not read.
        """
        path = Path(self.path)
        if not path.exists():
            return {}
        if path.stat().st_mode & 0o077:
            raise ConfigError(
                f"{path} may be read by others", hint=f"chmod 600 {path}", field="keyring.path"
            )
        try:
            data: dict[str, Any] = json.loads(path.read_text("utf-8"))
            kept = {str(n): base64.b64decode(k, validate=True) for n, k in data["keys"].items()}
            whole = data["format"] == FORMAT and bool(kept)
            sound = all(len(k) == 32 and n[:1] == "k" and n[1:].isdigit() for n, k in kept.items())
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise CorruptStoreError(f"{path} does not read", hint=_LOST) from error
        if not (whole and sound):
            raise CorruptStoreError(f"{path} is no file of master keys", hint=_LOST)
        return kept

    def _store(self, keys: Mapping[str, bytes]) -> None:
        data = {
            "format": FORMAT,
            "version": 1,
            "keys": {name: base64.b64encode(key).decode() for name, key in keys.items()},
        }
        replace_file(Path(self.path), json.dumps(data, indent=1).encode() + b"\n")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock beside ``path`` that every process takes before it changes what is there.

    Raises:
        StoreError: The lock cannot be made.
    """
    beside = path.with_name(f"{path.name}.lock")
    try:
        beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(beside, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{beside}: {error.strerror}", hint="make it writable") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file, readable by its owner alone, so that it is there whole or as it was.

    Raises:
        StoreError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: {error.strerror}", hint="free space or make the folder writable"
        ) from error


def flush_folder(folder: Path) -> None:
    """Put a folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(wrapped: bytes) -> str:
    """Which master key wrapped it.

    Raises:
        CorruptStoreError: It is no wrapped key of such a ring.
    """
    long = wrapped[1] if wrapped[:1] == b"\x01" and len(wrapped) > 2 + _NONCE else 0
    name = wrapped[2 : 2 + long]
    if not long or len(wrapped) < 2 + long + _NONCE or not name.isascii():
        raise CorruptStoreError("a wrapped key does not read", hint="restore a backup")
    return name.decode("ascii")
