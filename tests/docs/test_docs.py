"""The documentation is true: its Python runs, its links resolve, its commands exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md"])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
VERB = re.compile(r"^befit ([a-z]+)", re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    return [
        (page.relative_to(ROOT).as_posix(), block)
        for page in PAGES
        for block in BLOCK.findall(page.read_text())
    ]


@pytest.mark.local
@pytest.mark.parametrize(("page", "block"), blocks())
def test_each_python_block_runs(page: str, block: str, tmp_path: Path) -> None:
    code = block.replace("/tmp/", f"{tmp_path}/")
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "BEFIT_CACHE"}}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_link_resolves(page: Path) -> None:
    missing = [t for t in LINK.findall(page.read_text()) if not (page.parent / t).exists()]
    assert not missing


def test_each_command_in_the_docs_exists() -> None:
    shown = {
        verb
        for page in PAGES
        for block in SHELL.findall(page.read_text())
        for verb in VERB.findall(block)
    }
    listed = subprocess.run(
        [sys.executable, "-m", "befit", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert shown
    assert [verb for verb in sorted(shown) if not re.search(rf"\b{verb}\b", listed)] == []
