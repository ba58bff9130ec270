"""mem0 and LangGraph's store, each in a process of its own that takes orders line by line.

They run in an environment of their own, without a language model and without a network; texts come
with the vectors that befit's encoder made of them, so that memories differ and encoders do not.
"""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from befit.core.errors import ConfigError
from befit.core.protocols import Encoder
from befit.evaluate.memory.methods import MemoryUnderTest, Turn

WORKER = Path(__file__).with_name("peer_worker.py")
_HINT = "make an environment with mem0ai, langchain and langgraph, and give --peers ITS/bin/python"


class MissingPeerError(ConfigError):
    """A peer's environment is not there, or lacks the peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another memory.

    Attributes:
        name: "mem0" or "langgraph".
        python: The Python of its environment.
        encoder: Who makes the vectors that it is given.
    """

    name: str
    python: Path | None
    encoder: Encoder

    def open(self, folder: Path) -> AbstractContextManager[MemoryUnderTest]:
        """Start the process with an empty memory in that folder.

        Raises:
            MissingPeerError: There is no such Python, or it lacks the peer.
        """
        if self.python is None or not self.python.exists():
            raise MissingPeerError(f"{self.name} needs a Python", hint=_HINT, field="peers")
        return _PeerMemory(self.name, self.python, self.encoder, folder)


class _PeerMemory(AbstractContextManager[MemoryUnderTest]):
    """One process; ends with the block."""

    def __init__(self, name: str, python: Path, encoder: Encoder, folder: Path) -> None:
        self.name, self.encoder = name, encoder
        self.process = subprocess.Popen(  # noqa: S603 - the Python that the caller named
            [str(python), str(WORKER), name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

        self.orders = cast("IO[str]", self.process.stdin)  # both are pipes
        self.answers = cast("IO[str]", self.process.stdout)

    def __enter__(self) -> MemoryUnderTest:
        try:
            self._ask(do="ready")
        except MissingPeerError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.orders.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.answers.close()

    def remember(self, user: str, turns: Sequence[Turn]) -> None:
        vectors = self._vectors([turn.text for turn in turns])
        told = [
            {"id": turn.id, "text": turn.text, "scope": turn.scope, "vector": vector}
            for turn, vector in zip(turns, vectors, strict=True)
        ]
        self._ask(do="remember", user=user, turns=told)

    def recall(
        self, user: str, prompt: str, k: int, at: datetime, scope: str = ""
    ) -> Sequence[str]:
        """The asked scope first, then each wider one: what an application would do around it."""
        del at  # neither can be asked about the past
        parts = scope.split("/") if scope else []
        scopes = ["/".join(parts[:n]) for n in range(len(parts), -1, -1)]
        (vector,) = self._vectors([prompt])
        found = self._ask(do="recall", user=user, text=prompt, vector=vector, k=k, scopes=scopes)
        texts: list[str] = found["texts"]
        return texts

    def forget(self, user: str, about: str) -> int:
        (vector,) = self._vectors([about])
        return int(self._ask(do="forget", user=user, text=about, vector=vector)["count"])

    def beliefs(self, user: str, at: datetime, scope: str = "") -> None:
        return None

    def _vectors(self, texts: Sequence[str]) -> list[str]:
        encoded = np.asarray(self.encoder.encode(texts), dtype=np.float32)
        return [base64.b64encode(vector.tobytes()).decode() for vector in encoded]

    def _ask(self, **order: Any) -> dict[str, Any]:
        try:
            self.orders.write(json.dumps(order) + "\n")
            self.orders.flush()
            answer = self.answers.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise MissingPeerError(f"{self.name} ended", hint=_HINT, field="peers")
        loaded: dict[str, Any] = json.loads(answer)
        return loaded
