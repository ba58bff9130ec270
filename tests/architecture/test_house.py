"""The house rules that no linter knows."""

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from mypy import api

import befit
from befit.app.settings import Settings
from befit.core.registry import KINDS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "befit"
MODULES = sorted(SOURCE.rglob("*.py"))
BOUNDARY = SOURCE / "values" / "boundary.py"
# the journal gives back what the boundary had made; the demo and the edges get no such leave
RESTORED = {SOURCE / "memory" / "journal.py": {"Response"}}
HEAVY = ("numpy", "torch", "transformers", "pydantic", "typer", "httpx", "aiohttp", "sklearn")

SKIP_THE_BOUNDARY = """
from befit.core.dialogue import Draft, Response

def edge(response: Response) -> str:
    return response.text

edge(Draft(text="unseen", policy="any"))
"""


def _fresh(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return ran.stdout


def test_import_is_light() -> None:
    code = "import befit, json, sys; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(_fresh(code)))
    assert "befit" in loaded
    assert not loaded & set(HEAVY)


def test_command_line_is_light_until_a_command_runs() -> None:
    code = "import befit.app.cli, json, sys; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(_fresh(code)))
    assert not loaded & {"numpy", "torch", "transformers", "pydantic", "httpx", "aiohttp"}


def test_every_public_name_loads() -> None:
    for name in befit.__all__:
        assert getattr(befit, name)
    with pytest.raises(AttributeError, match="no attribute"):
        _ = befit.no_such_name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_file_is_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_the_boundary_makes_what_a_person_sees(path: Path) -> None:
    made = [
        node.func.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Response", "Passage"}
        and _is_ours(path)
    ]
    assert path == BOUNDARY or set(made) <= RESTORED.get(path, set())


def _is_ours(path: Path) -> bool:
    """Whether ``Response`` in a module is the word of ``core.dialogue``."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "befit.core.dialogue"
        and {"Response", "Passage"} & {alias.name for alias in node.names}
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


def test_boundary_makes_them() -> None:
    assert _is_ours(BOUNDARY)


def test_skipping_the_boundary_is_a_type_error(tmp_path: Path) -> None:
    snippet = tmp_path / "skip.py"
    snippet.write_text(SKIP_THE_BOUNDARY, "utf-8")
    arguments = ["--strict", "--config-file", str(ROOT / "pyproject.toml"), "--no-incremental"]
    said, _, status = api.run([*arguments, str(snippet)])
    assert status == 1
    assert 'incompatible type "Draft"; expected "Response"' in said


@pytest.mark.slow
def test_layers_hold() -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stdout


def test_settings_are_few() -> None:
    leaves = 0
    for field in Settings.model_fields.values():
        inner = getattr(field.annotation, "model_fields", None)
        leaves += len(inner) if inner else 1
    assert leaves <= 30


COMPONENTS = [
    entry for kind in KINDS for entry in entry_points(group=f"befit.{kind}") if kind != "dataset"
]


@pytest.mark.parametrize("entry", COMPONENTS, ids=lambda e: f"{e.group}.{e.name}")
def test_component_is_documented(entry: object) -> None:
    page = (ROOT / "docs" / "reference" / "components.md").read_text("utf-8")
    assert f"`{entry.name}`" in page  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if re.search(r"^ *Source:", p.read_text("utf-8"), re.MULTILINE)],
    ids=lambda p: str(p.relative_to(SOURCE)),
)
def test_technique_is_in_the_paper_index(path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "papers.md").read_text("utf-8")
    assert f"`{path.relative_to(SOURCE).as_posix()}`" in page


def test_generated_pages_are_fresh() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
