"""Master keys that stay on a HashiCorp Vault server: its transit engine wraps and unwraps.

Data keys travel to the server and back over HTTPS and are bound there (``associated_data``) to
their person. The master key never leaves the server, which also keeps the record of who used it.

Source: the HTTP API of Vault's transit secrets engine (encrypt, decrypt, rotate, read and
configure a key).
"""

import base64
import os
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx

from befit.core.errors import ConfigError, CorruptStoreError, StoreError


@dataclass(slots=True)
class _Known:
    client: httpx.Client | None = None
    newest: int = 0
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitKeyRing:
    """A named key of the transit engine.

    Attributes:
        url: The server, as in ``https://vault.example:8200``.
        name: The key; of a type that takes associated data, such as aes256-gcm96.
        mount: Where the engine is mounted.
        token_env: The environment variable that holds the token.
        namespace: The server's namespace; "" where there is none.
        timeout_s: Longest silence of the server, seconds, > 0.
        transport: How requests travel; None is the network.
    """

    url: str
    name: str = "befit"
    mount: str = "transit"
    token_env: str = "VAULT_TOKEN"  # noqa: S105 - the name of a variable, not a token
    namespace: str = ""
    timeout_s: float = 5.0
    transport: httpx.BaseTransport | None = None
    _known: _Known = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", _Known())

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """Have a data key encrypted by the newest version of the master key.

        Raises:
            ConfigError: There is no token, or it may not use the key.
            StoreError: The server cannot serve.
        """
        body = {"plaintext": _encoded(key), "associated_data": _encoded(bound)}
        found = self._ask("POST", f"encrypt/{self.name}", body)
        wrapped = found.get("ciphertext")
        if not isinstance(wrapped, str) or not wrapped.startswith("vault:v"):
            raise StoreError("the key server answered without a ciphertext", hint="see its log")
        return wrapped.encode()

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Have it decrypted.

        Raises:
            CorruptStoreError: It was changed, belongs to someone else, or its version is retired.
            StoreError: The server cannot serve.
        """
        _version(wrapped)
        body = {"ciphertext": wrapped.decode("ascii"), "associated_data": _encoded(bound)}
        found = self._ask("POST", f"decrypt/{self.name}", body, refusal=CorruptStoreError)
        try:
            return base64.b64decode(found["plaintext"], validate=True)
        except (KeyError, ValueError, TypeError) as error:
            raise StoreError("the key server answered without a key", hint="see its log") from error

    def stale(self, wrapped: bytes) -> bool:
        """Whether an older version wrapped it; as versions only grow, a newer one known will do."""
        own = _version(wrapped)
        if own >= self._known.newest:
            self._known.newest = self._latest()
        return own < self._known.newest

    def rotate(self) -> None:
        """Make a new version of the master key."""
        self._ask("POST", f"keys/{self.name}/rotate", {})

    def retire(self) -> None:
        """Forbid the server to decrypt what older versions wrapped."""
        body = {"min_decryption_version": self._latest()}
        self._ask("POST", f"keys/{self.name}/config", body)

    def _latest(self) -> int:
        version = self._ask("GET", f"keys/{self.name}").get("latest_version")
        if not isinstance(version, int):
            raise StoreError("the key server does not name the newest version", hint="see its log")
        return version

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        refusal: type[StoreError] = StoreError,
    ) -> dict[str, Any]:
        try:
            response = self._client().request(method, f"/v1/{self.mount}/{path}", json=body)
        except httpx.HTTPError as error:
            raise StoreError(
                f"the key server does not answer: {error}", hint=f"see whether {self.url} is up"
            ) from error
        if response.status_code == 403:
            raise ConfigError(
                "the key server refuses the token",
                hint=f"give the token in {self.token_env} a policy for {self.mount}/{path}",
                field="keyring.token_env",
            )
        if response.status_code == 404:
            raise ConfigError(
                f"the key server has no {self.mount}/{path}",
                hint=f"vault write -f {self.mount}/keys/{self.name}, once {self.mount} is enabled",
                field="keyring.name",
            )
        if response.status_code == 400:
            raise refusal(
                f"the key server refuses: {_reasons(response)}", hint="restore a backup of the keys"
            )
        if response.is_error:
            raise StoreError(
                f"the key server cannot serve: {response.status_code} {_reasons(response)}",
                hint="see whether it is sealed",
            )
        data = _json(response).get("data")
        return data if isinstance(data, dict) else {}

    def _client(self) -> httpx.Client:
        with self._known.lock:
            if self._known.client is None:
                self._known.client = httpx.Client(
                    base_url=self.url,
                    headers=self._headers(),
                    timeout=self.timeout_s,
                    transport=self.transport,
                )
            return self._known.client

    def _headers(self) -> dict[str, str]:
        token = os.environ.get(self.token_env, "")
        if not token:
            raise ConfigError(
                "there is no token for the key server",
                hint=f"set {self.token_env}",
                field="keyring.token_env",
            )
        return {"X-Vault-Token": token, "X-Vault-Request": "true"} | (
            {"X-Vault-Namespace": self.namespace} if self.namespace else {}
        )


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _version(wrapped: bytes) -> int:
    """The version in ``vault:v3:...``."""
    head, _, rest = wrapped.removeprefix(b"vault:v").partition(b":")
    if not wrapped.startswith(b"vault:v") or not head.isdigit() or not rest.isascii():
        raise CorruptStoreError("a wrapped key does not read", hint="restore a backup")
    return int(head)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        data = response.json() if response.content else {}
    except ValueError:
        data = {}
    return data if isinstance(data, dict) else {}


def _reasons(response: httpx.Response) -> str:
    return "; ".join(str(each) for each in _json(response).get("errors") or ()) or "no reason given"
