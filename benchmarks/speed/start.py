"""What starting costs: `import befit`, and `befit serve` until it answers.

The server stands before an upstream over HTTP, with its default components: no torch. RSS is read
at the first ready answer, and once more after one personal answer, when the encoder is loaded.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from speed.gateways import befit_gateway, cpu_us, loader, upstream
from speed.measure import Options, Row, compare, limit, one_thread, tree_cpu_s, tree_rss_mb

IMPORT_MS = 25.0
READY_MS = 1000.0
READY_MB = 80.0
HEAVY = ("numpy", "torch", "pydantic", "asyncio")


def run(options: Options) -> list[Row]:
    return [*_import(options), *_serve(options)]


def _import(options: Options) -> list[Row]:
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(options.rounds):
        for code, spent in (("pass", bare), ("import befit", ours)):
            spent.append(_child_cpu_ms(code, options.size(20, 5)))
    above = [a - b for a, b in zip(ours, bare, strict=True)]
    loaded = _loaded_by("import befit")
    return [
        limit("import befit, above a bare interpreter", above, unit="ms CPU", most=IMPORT_MS),
        compare("interpreter with import befit", ours, bare, unit="ms CPU", against="bare"),
        limit("heavy libraries that import befit loads", [len(loaded)], unit="libraries",
              note=", ".join(loaded) or f"none of {', '.join(HEAVY)}"),
    ]  # fmt: skip


def _serve(options: Options) -> list[Row]:
    waits, spent, ready, answered = [], [], [], []
    with upstream() as url, loader() as load:
        for _ in range(options.rounds):
            with befit_gateway(url, light=False) as gateway:
                ready.append(tree_rss_mb(gateway.pid))
                spent.append(1e3 * tree_cpu_s(gateway.pid))
                waits.append(1e3 * gateway.ready_s)
                cpu_us(load, gateway, ["somebody"] * 3, connections=1)
                answered.append(tree_rss_mb(gateway.pid))
                if _has_torch(gateway.pid):
                    raise RuntimeError("the server has loaded torch")
    return [
        limit("befit serve, start to ready", waits, unit="ms wall", most=READY_MS),
        limit("befit serve, CPU to ready", spent, unit="ms CPU"),
        limit("befit serve, memory when ready", ready, unit="MB RSS", most=READY_MB),
        limit("befit serve, memory after its first answers", answered, unit="MB RSS",
              note="guards and encoder loaded where the answer needed them"),
    ]  # fmt: skip


def _child_cpu_ms(code: str, times: int) -> float:
    spent = []
    for _ in range(times):
        child = os.posix_spawn(sys.executable, [sys.executable, "-c", code], one_thread())
        _, status, usage = os.wait4(child, 0)
        if status:
            raise RuntimeError(f"{code!r} failed")
        spent.append(1e3 * (usage.ru_utime + usage.ru_stime))
    return median(spent)


def _loaded_by(code: str) -> list[str]:
    show = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    return [name for name in HEAVY if name in json.loads(done.stdout)]


def _has_torch(pid: int) -> bool:
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text("utf-8")
