"""A peer in a process of its own that takes orders line by line, and where the peers live."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from speed.measure import HERE, PEERS, one_thread


class MissingPeersError(Exception):
    """The peers are not installed."""


class Worker:
    """A process that answers each line of JSON with another."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one_thread()
        )

    def ask(self, **order: Any) -> dict[str, Any]:
        """Send an order and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.wait()}")
        loaded: dict[str, Any] = json.loads(answer)
        return loaded

    def close(self) -> None:
        """Let it end by itself; end it where it does not."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def worker(*command: str | Path) -> Iterator[Worker]:
    """A worker that ends with the block."""
    made = Worker(command)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def postgres() -> Iterator[Worker]:
    """PostgreSQL 18 with pgvector in a folder that goes with the block."""
    with (
        TemporaryDirectory(prefix="befit-postgres-") as folder,
        worker(peers_bin("python"), HERE / "postgres.py", f"{folder}/data") as made,
    ):
        yield made


def peers_bin(name: str) -> Path:
    """A program of the peers' environment.

    Raises:
        MissingPeersError: They are not installed.
    """
    path = PEERS / "bin" / name
    if not path.exists():
        raise MissingPeersError("install the peers first: python benchmarks/run.py --peers")
    return path
