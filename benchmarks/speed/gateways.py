"""Starts what a request goes through: the paced upstream, befit, LiteLLM, and the load."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

from speed.measure import HERE, one_thread, tree_cpu_s
from speed.peer import Worker, peers_bin, worker
from speed.words import prompt_of

from befit.app.server.keys import KeyStore

START_S = 120.0  # LiteLLM needs tens of seconds
SETTLE_S = 0.3  # what a gateway does after its answers counts too
CONNECTIONS = 32

# Named words as encoder and rules alone as guard: no neural network runs in either gateway.
LIGHT = """
[encoder]
use = "speed.words:HashedWords"

[boundary]
guards = [{ use = "rules" }]
screens = [{ use = "injection" }]
"""

LITELLM = """
model_list:
  - model_name: paced
    litellm_params: {{model: openai/paced, api_base: "{url}", api_key: none}}
litellm_settings: {{callbacks: [], num_retries: 0, telemetry: false}}
general_settings: {{master_key: {key}}}
"""
LITELLM_KEY = "sk-benchmark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running gateway.

    Attributes:
        pid: Root of its process tree.
        port: Where it listens.
        key: A bearer key that may act for others.
        ready_s: From exec to the first ready answer, seconds.
        config: Its settings file.
    """

    pid: int
    port: int
    key: str
    ready_s: float
    config: Path


@contextmanager
def upstream() -> Iterator[str]:
    """The paced stand-in for a model's server; its base URL."""
    command = [sys.executable, str(HERE / "paced.py")]
    paced = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with _ended(paced):
        assert paced.stdout is not None
        yield f"http://127.0.0.1:{int(paced.stdout.readline())}/v1"


@contextmanager
def befit_gateway(url: str, *, light: bool = True) -> Iterator[Gateway]:
    """`befit serve` before ``url`` in a fresh folder; with its default components if not light."""
    with TemporaryDirectory(prefix="befit-serve-") as folder:
        place = Path(folder)
        settings = _written(place / "befit.toml", _settings(place, url) + (LIGHT if light else ""))
        key = KeyStore(place / "keys.db").create(None, datetime.now(UTC))
        environment = one_thread() | {
            "BEFIT_CONFIG": str(settings),
            "PYTHONPATH": str(HERE.parent),
        }
        port = _free_port()
        command = [sys.executable, "-m", "befit", "serve", "--port", str(port)]
        with _serving(command, environment, port) as (process, ready_s):
            yield Gateway(pid=process.pid, port=port, key=key, ready_s=ready_s, config=settings)


@contextmanager
def litellm_gateway(url: str) -> Iterator[Gateway]:
    """LiteLLM's proxy before ``url``: one worker, no database, no callbacks."""
    with TemporaryDirectory(prefix="befit-litellm-") as folder:
        config = _written(Path(folder) / "litellm.yaml", LITELLM.format(url=url, key=LITELLM_KEY))
        port = _free_port()
        command = [
            str(peers_bin("litellm")), "--config", str(config), "--host", "127.0.0.1",
            "--port", str(port), "--num_workers", "1", "--telemetry", "False",
        ]  # fmt: skip
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        environment = one_thread() | quiet
        with _serving(command, environment, port) as (process, ready_s):
            yield Gateway(
                pid=process.pid, port=port, key=LITELLM_KEY, ready_s=ready_s, config=config
            )


@contextmanager
def loader() -> Iterator[Worker]:
    """The load generator."""
    with worker(sys.executable, HERE / "load.py") as made:
        yield made


def cpu_us(
    load: Worker,
    gateway: Gateway,
    users: Sequence[str],
    *,
    headers: Mapping[str, str] | None = None,
    mark: str = "",
    connections: int = CONNECTIONS,
) -> tuple[float, dict[str, Any]]:
    """CPU of the gateway's process tree for one stream, microseconds, and what the load saw.

    With ``mark`` every answer's head must contain it: that what is measured is what happened.
    """
    began = tree_cpu_s(gateway.pid)
    seen = load.ask(
        port=gateway.port, users=list(users), connections=connections, limit_s=START_S,
        prompt=prompt_of(0), mark=mark,
        headers={"authorization": f"Bearer {gateway.key}", **(headers or {})},
    )  # fmt: skip
    sleep(SETTLE_S)
    spent = tree_cpu_s(gateway.pid) - began
    if mark and seen["marked"] != len(users):
        raise RuntimeError(f"{seen['marked']} of {len(users)} answers had {mark!r}")
    return 1e6 * spent / len(users), seen


def _settings(place: Path, url: str) -> str:
    return f"""
[memory]
path = "{place}/befit.db"

[upstream]
url = "{url}"
model = "paced"

[server]
keys = "{place}/keys.db"
deadline_ms = 1000.0
"""


@contextmanager
def _serving(
    command: Sequence[str], environment: Mapping[str, str], port: int
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    began = perf_counter()
    log = Path(environment.get("BEFIT_BENCHMARK_LOG", os.devnull))
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    with _ended(process):
        while not _is_ready(port):
            if process.poll() is not None or perf_counter() - began > START_S:
                raise RuntimeError(f"{command[:4]} did not start; see BEFIT_BENCHMARK_LOG=FILE")
            sleep(0.005)
        yield process, perf_counter() - began


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/readiness")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stack.callback(stream.close)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def _free_port() -> int:
    with socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])
