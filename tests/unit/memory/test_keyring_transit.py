"""The transit ring against a server that keeps to the protocol: versions, bindings, refusals."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from befit.core.errors import BefitError, ConfigError, CorruptStoreError, StoreError
from befit.core.people import UserId
from befit.memory.keyring import KeyRing
from befit.memory.keyring_transit import TransitKeyRing
from befit.memory.vault import Vault, place_of
from befit.memory.vault_shelf import FolderShelf

ADA = UserId("ada")
HERE = place_of("evidence", "1")


class FakeTransit:
    """A transit engine with one aes256-gcm96 key, as its HTTP interface describes it."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.versions = [AESGCM.generate_key(256)]
        self.lowest = 1
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if request.headers.get("X-Vault-Token") != self.token:
            return httpx.Response(403, json={"errors": ["permission denied"]})
        body = json.loads(request.content or b"{}")
        known: dict[str, Callable[[dict[str, str]], httpx.Response]] = {
            "POST /v1/transit/encrypt/befit": self._encrypt,
            "POST /v1/transit/decrypt/befit": self._decrypt,
            "POST /v1/transit/keys/befit/rotate": self._rotate,
            "POST /v1/transit/keys/befit/config": self._config,
            "GET /v1/transit/keys/befit": self._read,
        }
        found = known.get(self.asked[-1])
        return found(body) if found else httpx.Response(404, json={"errors": []})

    def _encrypt(self, body: dict[str, str]) -> httpx.Response:
        nonce = os.urandom(12)
        plain, bound = (base64.b64decode(body[k]) for k in ("plaintext", "associated_data"))
        sealed = base64.b64encode(nonce + AESGCM(self.versions[-1]).encrypt(nonce, plain, bound))
        text = f"vault:v{len(self.versions)}:{sealed.decode()}"
        data = {"ciphertext": text, "key_version": len(self.versions)}
        return httpx.Response(200, json={"data": data})

    def _decrypt(self, body: dict[str, str]) -> httpx.Response:
        _, head, text = body["ciphertext"].split(":")
        version, raw = int(head[1:]), base64.b64decode(text)
        if not self.lowest <= version <= len(self.versions):
            reason = "ciphertext or signature version is disallowed by policy (too old)"
            return httpx.Response(400, json={"errors": [reason]})
        bound = base64.b64decode(body["associated_data"])
        try:
            plain = AESGCM(self.versions[version - 1]).decrypt(raw[:12], raw[12:], bound)
        except InvalidTag:
            reason = "cipher: message authentication failed"
            return httpx.Response(400, json={"errors": [reason]})
        return httpx.Response(200, json={"data": {"plaintext": base64.b64encode(plain).decode()}})

    def _rotate(self, _: dict[str, str]) -> httpx.Response:
        self.versions.append(AESGCM.generate_key(256))
        return httpx.Response(204)

    def _config(self, body: dict[str, str]) -> httpx.Response:
        self.lowest = int(body["min_decryption_version"])
        return httpx.Response(204)

    def _read(self, _: dict[str, str]) -> httpx.Response:
        return httpx.Response(200, json={"data": {"latest_version": len(self.versions)}})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeTransit:
    monkeypatch.setenv("VAULT_TOKEN", "made-up")
    return FakeTransit("made-up")


def _ring(server: Callable[[httpx.Request], httpx.Response]) -> TransitKeyRing:
    return TransitKeyRing(url="http://vault.test", transport=httpx.MockTransport(server))


def test_a_vault_on_it_seals_rotates_and_forgets(tmp_path: Path, server: FakeTransit) -> None:
    ring = _ring(server)
    assert isinstance(ring, KeyRing)
    vault = Vault(ring=ring, shelf=FolderShelf(path=tmp_path))
    sealed = vault.seal(ADA, HERE, b"plain")
    asked = len(server.asked)
    assert vault.open(ADA, HERE, sealed) == b"plain"
    assert len(server.asked) == asked  # the data key was ready
    assert vault.rotate() == 1
    assert server.lowest == len(server.versions) == 2
    fresh = Vault(ring=_ring(server), shelf=FolderShelf(path=tmp_path))
    assert fresh.open(ADA, HERE, sealed) == b"plain"
    fresh.forget(ADA)
    with pytest.raises(CorruptStoreError):
        vault.open(ADA, HERE, sealed)


def test_a_key_is_bound_and_its_version_counts(server: FakeTransit) -> None:
    ring = _ring(server)
    wrapped = ring.wrap(b"k" * 32, b"ada")
    assert ring.unwrap(wrapped, b"ada") == b"k" * 32
    assert not ring.stale(wrapped)
    with pytest.raises(CorruptStoreError, match="authentication failed"):
        ring.unwrap(wrapped, b"bob")
    ring.rotate()
    assert ring.stale(wrapped)
    ring.retire()
    with pytest.raises(CorruptStoreError, match="too old"):
        ring.unwrap(wrapped, b"ada")


def test_what_is_no_wrapped_key_never_reaches_the_server(server: FakeTransit) -> None:
    for wrapped in (b"", b"vault:v:x", b"\xff", b"vault:v1", b"vault:v1:\xff"):
        if wrapped != b"vault:v1":
            with pytest.raises(CorruptStoreError):
                _ring(server).unwrap(wrapped, b"")
    assert not server.asked


def test_a_wrong_token_and_an_unknown_key_are_settings(
    server: FakeTransit, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = TransitKeyRing(
        url="http://vault.test", name="other", transport=httpx.MockTransport(server)
    )
    with pytest.raises(ConfigError, match="transit/encrypt/other"):
        other.wrap(b"k", b"")
    monkeypatch.setenv("VAULT_TOKEN", "wrong")
    with pytest.raises(ConfigError, match="refuses the token"):
        _ring(server).wrap(b"k", b"")
    monkeypatch.delenv("VAULT_TOKEN")
    with pytest.raises(ConfigError, match="no token"):
        _ring(server).wrap(b"k", b"")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, json={"errors": ["Vault is sealed"]}),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, json={"data": None}),
        httpx.Response(200, text="no json"),
        httpx.Response(200, json=[]),
    ],
)
def test_a_server_that_cannot_serve_is_a_typed_error(answer: httpx.Response) -> None:
    ring = _ring(lambda _: answer)
    for ask in (
        lambda: ring.wrap(b"k", b""),
        lambda: ring.unwrap(b"vault:v1:eA==", b""),
        lambda: ring.stale(b"vault:v1:eA=="),
    ):
        with pytest.raises(StoreError) as caught:
            ask()
        assert caught.value.hint


@pytest.mark.usefixtures("server")
def test_a_server_that_is_away_is_a_typed_error() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(BefitError, match="does not answer"):
        _ring(away).wrap(b"k", b"")
