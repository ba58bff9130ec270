"""One reaction's model update, `befit.belief.logistic.rank_one`, and its twin in eager torch."""

import subprocess
import sys

import numpy as np
from speed.measure import Options, Row, compare, cpu_us, limit, one_thread

from befit.belief.logistic import rank_one

RANKS = (16, 64)
LIMIT_US = 20.0
LEAST_TIMES_UNDER_TORCH = 5.0

# The same arithmetic in torch, in a process of its own so that nothing here ever loads torch.
TWIN = """
import math, sys, time
import torch
torch.set_num_threads(1)
rank, seed, times = map(int, sys.argv[1:])
generator = torch.Generator().manual_seed(seed)
mean, delta = torch.zeros(rank, dtype=torch.float64), None
covariance = torch.eye(rank, dtype=torch.float64)
delta = torch.randn(rank, generator=generator, dtype=torch.float64)

@torch.no_grad()
def update(mean, covariance, delta, weight=1.0):
    spread = covariance @ delta
    variance = spread @ delta
    p = torch.sigmoid(mean @ delta / torch.sqrt(1.0 + math.pi * variance / 8.0))
    information = weight * p * (1.0 - p)
    shrink = 1.0 + information * variance
    moved = mean + weight * (1.0 - p) / shrink * spread
    scaled = torch.sqrt(information / shrink) * spread
    return moved, covariance - torch.outer(scaled, scaled)

for _ in range(200):
    update(mean, covariance, delta)
for line in sys.stdin:
    began = time.process_time_ns()
    for _ in range(times):
        update(mean, covariance, delta)
    print((time.process_time_ns() - began) / times / 1e3, flush=True)
"""


def run(options: Options) -> list[Row]:
    rows = []
    for rank in RANKS:
        ours, torch = _rounds(rank, options)
        rows.append(limit(f"model update, rank {rank}", ours, unit="us CPU", most=LIMIT_US))
        rows.append(
            compare(
                f"model update, rank {rank}, beside torch",
                ours,
                torch,
                unit="us CPU",
                against="torch eager",
                goal="at most 1/5",
                most=1.0 / LEAST_TIMES_UNDER_TORCH,
            )
        )
    return rows


def _rounds(rank: int, options: Options) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(options.seed)
    mean, covariance, delta = np.zeros(rank), np.eye(rank), rng.standard_normal(rank)
    times = options.size(5000, 500)
    cpu_us(lambda: rank_one(mean, covariance, delta), 200)
    ours, torch = [], []
    twin = subprocess.Popen(
        [sys.executable, "-c", TWIN, str(rank), str(options.seed), str(times)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one_thread(),
    )  # fmt: skip
    with twin:
        assert twin.stdin is not None
        assert twin.stdout is not None
        for _ in range(options.rounds):
            ours.append(cpu_us(lambda: rank_one(mean, covariance, delta), times))
            print(file=twin.stdin, flush=True)
            torch.append(float(twin.stdout.readline()))
        twin.stdin.close()
    return ours, torch
