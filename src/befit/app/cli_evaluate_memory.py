"""The command ``befit evaluate memory``."""

from pathlib import Path
from typing import Annotated

import typer

from befit.app.cli_shared import late, now, progress


def evaluate_memory(
    *,
    suite: Annotated[str, typer.Option(help="Suites, comma-separated; empty is all.")] = "",
    method: Annotated[
        str, typer.Option(help="Of befit, bm25, encoder, mem0, langgraph; comma-separated.")
    ] = "befit,bm25,encoder",
    seeds: Annotated[int, typer.Option(help="Each draws other people.")] = 3,
    people: Annotated[int, typer.Option(help="In each seed and suite.")] = 50,
    peers: Annotated[
        Path | None, typer.Option(help="Python of an environment with mem0ai and langgraph.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write the result; - prints it.")
    ] = None,
) -> None:
    """What a memory recalls, believes and forgets, beside other memories; no judge."""
    result = late("evaluate.memory.run").evaluate_memory(
        _names(suite),
        methods=_names(method),
        seeds=seeds,
        people=people,
        peers=peers,
        created=now(),
        progress=progress(),
    )
    if json_file == Path("-"):
        print(result.to_json())
        return
    if json_file is not None:
        result.save(json_file)
    print(late("app.cli_pairs").table(result.rows))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
