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
    resume: Annotated[
        bool, typer.Option("--resume", help="Take over the suites that the --json file has.")
    ] = False,
) -> None:
    """What a memory recalls, believes and forgets, beside other memories; no judge."""
    kept = json_file if json_file is not None and json_file != Path("-") else None
    taken = kept is not None and resume and kept.exists()
    result = late("evaluate.memory.run").evaluate_memory(
        _names(suite),
        methods=_names(method),
        seeds=seeds,
        people=people,
        peers=peers,
        created=now(),
        progress=progress(),
        before=late("evaluate.schema").Result.load(kept) if taken else None,
        save=None if kept is None else lambda so_far: so_far.save(kept),
    )
    if json_file == Path("-"):
        print(result.to_json())
        return
    if kept is not None:
        result.save(kept)
    print(late("app.memory_table").side_by_side(result.rows))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
