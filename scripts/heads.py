"""Fits the statement head anew from its sayings; --check fails where the shipped one differs."""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from befit.features.fitting_statements import fit_statements
from befit.features.statement_head import STEM

SHIPPED = Path(__file__).parents[1] / "src" / "befit" / "features"
_CLOSE = 0.05  # largest difference of a weight between two machines' optimisers


def differs(folder: Path) -> bool:
    """Whether the weights in a folder are not those that ship."""
    fitted, shipped = (load_file(at / f"{STEM}.safetensors") for at in (folder, SHIPPED))
    return fitted.keys() != shipped.keys() or any(
        fitted[name].shape != shipped[name].shape
        or float(np.abs(fitted[name] - shipped[name]).max()) > _CLOSE
        for name in fitted
    )


def main() -> int:
    """Fit, print what was measured, and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the two files go")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if args.check else args.out
        for name, value in fit_statements(folder).items():
            print(f"{name:22} {value:.3f}")
        if args.check and differs(folder):
            print("the shipped head does not come from these sayings: run scripts/heads.py")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
