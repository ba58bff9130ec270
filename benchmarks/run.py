"""Run the speed benchmarks: ``python benchmarks/run.py [name...] [--peers] [--quick] [--readme]``.

Each run writes one JSON into ``results/`` and rebuilds the table of ``README.md`` from all of them.
"""

import argparse
import os
import subprocess
import sys
import venv
from importlib import import_module

from speed.measure import HERE, PEERS, Options, write
from speed.table import page

NAMES = (
    "update",
    "reward",
    "start",
    "retrieval",
    "writes",
    "memory_search",
    "gateway",
)  # each speed/NAME.py has run(options)
README = HERE.parent / "README.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*NAMES, []], help="all where left out")
    parser.add_argument("--peers", action="store_true", help="install what we measure beside")
    parser.add_argument("--quick", action="store_true", help="small sizes; writes nothing")
    parser.add_argument("--readme", action="store_true", help="only rebuild the table")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    if wanted.peers:
        install_peers()
    if wanted.readme:
        README.write_text(page(), "utf-8")
    if wanted.readme or (wanted.peers and not wanted.name):
        return 0
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy is loaded
    options = Options(seed=wanted.seed, rounds=max(3, wanted.rounds), quick=wanted.quick)
    for name in wanted.name or NAMES:
        rows = import_module(f"speed.{name}").run(options)
        for row in rows:
            print(row, flush=True)
        if not options.quick:
            write(name, rows, options)
            README.write_text(page(), "utf-8")
    return 0


def install_peers() -> None:
    """Put the pinned peers into a virtual environment of their own."""
    if not (PEERS / "bin" / "python").exists():
        venv.create(PEERS, with_pip=True)
        (PEERS / ".gitignore").write_text("*\n", "utf-8")
    pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r"]
    subprocess.run([*pip, str(HERE.parent / "peers.txt")], check=True)


if __name__ == "__main__":
    sys.exit(main())
