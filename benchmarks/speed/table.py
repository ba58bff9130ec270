"""The page with the latest results: made from the JSON files and ``notes.toml`` alone."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]

HEAD = """# Speed

Made by `python benchmarks/run.py`; do not edit. `python benchmarks/run.py --peers` installs what
befit is measured beside (pinned in `peers.txt`) into an environment of its own; then
`python benchmarks/run.py [name...]` measures and rebuilds this page, `--quick` only tries it out,
and `--readme` only rebuilds it.

CPU is user and system time over the whole process tree: neighbours on a shared machine disturb it
least. Both sides of a comparison run in the same minutes, in interleaved rounds; the ratio is ours
over theirs, the median of the rounds, and beside it stand the least and the greatest round.

| benchmark | ours | peer or limit | ratio (least to greatest) | goal | met | file |
|---|---|---|---|---|---|---|
"""


def page(folder: Path = HERE) -> str:
    """The whole of ``README.md``."""
    files = sorted((folder / "results").glob("*.json"))
    results = [json.loads(file.read_text("utf-8")) for file in files]
    notes = tomllib.loads((folder / "notes.toml").read_text("utf-8"))
    lines = [_line(row, result["name"]) for result in results for row in result["rows"]]
    text = HEAD + "\n".join(lines) + "\n"
    missed = [row["name"] for r in results for row in r["rows"] if row["met"] is False]
    if missed:
        text += "\n## Missed\n\n" + "\n".join(_missed(name, notes["missed"]) for name in missed)
        text += "\n"
    text += "\n## How it was measured\n\n" + "\n".join(
        f"* **{r['name']}**: {notes['method'].get(r['name'], '')}" for r in results
    )
    return text + "\n\n## Where and when\n\n" + "\n".join(_origin(r) for r in results) + "\n"


def _line(row: Mapping[str, Any], name: str) -> str:
    peer = f"{row['peer']:g} ({row['against']})" if row["peer"] is not None else row["against"]
    ratio = ""
    if row["ratio"] is not None:
        low, high = row["spread"]
        ratio = f"{row['ratio']:.3g} ({low:.3g} to {high:.3g})"
    met = {True: "yes", False: "**no**", None: ""}[row["met"]]
    cells = (row["name"], f"{row['ours']:g} {row['unit']}", peer, ratio, row["goal"], met)
    return "| " + " | ".join(cells) + f" | [{name}.json](results/{name}.json) |"


def _missed(name: str, notes: Mapping[str, str]) -> str:
    return f"* **{name}**: {notes.get(name, 'not looked into yet.')}"


def _origin(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    return (
        f"* {result['name']}: {result['created']}, befit {result['version']} at "
        f"`{result['commit']}`, seed {result['seed']}, {result['rounds']} rounds; "
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}, load {machine['load']} at its end."
    )
