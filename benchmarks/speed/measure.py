"""What every speed benchmark shares: options, CPU clocks, rows with a spread, the result file.

A row compares what befit costs with a peer in the same minute, or with a fixed limit. Each side is
measured in several rounds, interleaved; the ratio is the median of the rounds' ratios and its
spread their least and greatest. Machines are described without names or paths.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

import psutil

SCHEMA_VERSION = 1
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = HERE.parent / "results"
PEERS = HERE.parent / ".peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run.

    Attributes:
        seed: For whatever is drawn.
        rounds: Interleaved rounds of each comparison, >= 3.
        quick: Small sizes, to see that it runs; the figures mean little and are not kept.
    """

    seed: int = 0
    rounds: int = 5
    quick: bool = False

    def size(self, full: int, quick: int) -> int:
        """``full``, or ``quick`` in a quick run."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was measured.
        ours: What befit costs or does, in ``unit``, median of the rounds.
        peer: The same of the peer, or the limit; None where a figure stands alone.
        ratio: ``ours / peer``, median of the rounds.
        spread: Least and greatest ratio of the rounds.
        unit: "us CPU a request", "rows/s".
        against: What ``peer`` is.
        goal: In words; "" where the figure only informs.
        met: Whether the goal was met; None where there is none.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    spread: tuple[float, float] | None
    unit: str
    against: str = ""
    goal: str = ""
    met: bool | None = None


def compare(
    name: str,
    ours: Sequence[float],
    peer: Sequence[float],
    *,
    unit: str,
    against: str,
    goal: str = "",
    most: float | None = None,
    least: float | None = None,
) -> Row:
    """Ours beside a peer's, round by round; the goal bounds the ratio from above or below."""
    ratios = sorted(a / b for a, b in zip(ours, peer, strict=True))
    ratio = median(ratios)
    return Row(
        name=name,
        ours=_short(median(ours)),
        peer=_short(median(peer)),
        ratio=_short(ratio),
        spread=(_short(ratios[0]), _short(ratios[-1])),
        unit=unit,
        against=against,
        goal=goal,
        met=_met(ratio, most, least),
    )


def limit(
    name: str, ours: Sequence[float], *, unit: str, most: float | None = None, note: str = ""
) -> Row:
    """Ours beside a fixed limit that it should not exceed; without one the figure informs."""
    if most is None:
        return Row(
            name=name, ours=_short(median(ours)), peer=None, ratio=None, spread=None, unit=unit,
            against=note,
        )  # fmt: skip
    return compare(
        name,
        ours,
        [most] * len(ours),
        unit=unit,
        against="limit",
        goal=f"at most {most:g}",
        most=1.0,
    )


def cpu_us(work: Callable[[], object], times: int) -> float:
    """CPU of this process for one call of ``work``, microseconds, over ``times`` calls."""
    began = process_time_ns()
    for _ in range(times):
        work()
    return (process_time_ns() - began) / times / 1e3


def tree_cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of a process and all its descendants, dead ones included."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its time is in its parent's children_* by now
        total += times.user + times.system + times.children_user + times.children_system
    return total


def tree_rss_mb(pid: int) -> float:
    """Resident memory of a process and all its descendants, megabytes."""
    root = psutil.Process(pid)
    return float(sum(p.memory_info().rss for p in (root, *root.children(recursive=True)))) / 1e6


def write(name: str, rows: Sequence[Row], options: Options) -> Path:
    """Keep a result as ``results/NAME.json``."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    result = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "version": version("befit"),
        "commit": _commit(),
        "machine": _machine(),
        "seed": options.seed,
        "rounds": options.rounds,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return path


def one_thread() -> dict[str, str]:
    """The environment, with one thread for each process's linear algebra."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _met(ratio: float, most: float | None, least: float | None) -> bool | None:
    if most is None and least is None:
        return None
    return (most is None or ratio <= most) and (least is None or ratio >= least)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def _machine() -> dict[str, Any]:
    load, *_ = os.getloadavg()
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(load, 1),
        "implementation": sys.implementation.name,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
