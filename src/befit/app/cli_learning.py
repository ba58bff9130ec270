"""Commands about what is learned: learn, evaluate, values."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from befit.app.cli_evaluate_memory import evaluate_memory
from befit.app.cli_shared import Json, late, now, progress, say, show, workshop
from befit.core.errors import InputError

evaluate = typer.Typer(help="Measure on real people.", no_args_is_help=True)
values = typer.Typer(help="The learned guards of the universal values.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(learn)
    evaluate.callback()(_group)
    evaluate.command("reward")(evaluate_reward)
    evaluate.command("memory")(evaluate_memory)
    values.command("fit")(values_fit)
    values.command("check")(values_check)
    app.add_typer(evaluate, name="evaluate")
    app.add_typer(values, name="values")


def _group() -> None:
    """Measure on real people."""


def learn(
    pairs: Annotated[
        Path | None, typer.Option(help="JSONL of pairs instead of the journal.")
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the one before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Refit what all people share; promote it after the audit, or say why not."""
    shop = workshop()
    cycle = shop.cycle()
    if rollback:
        before = cycle.artifacts.rollback(None, "reward")
        show(before, f"active again: {before.id if before else 'none'}", as_json=as_json)
        return
    learner = shop.build("learner", shop.settings.learner, "learner")
    comparisons = None if pairs is None else late("app.cli_pairs").comparisons(pairs, now())
    say("learning ...")
    with TemporaryDirectory(prefix="befit-") as folder:
        artifact = cycle.improve(learner, Path(folder), now(), comparisons)
    measured = ", ".join(f"{name} {value:.3f}" for name, value in artifact.metrics.items())
    show(artifact, f"promoted {artifact.id}: {measured}", as_json=as_json)


def evaluate_reward(
    *,
    data: Annotated[str, typer.Option(help="Data sets, comma-separated; all is each.")] = "",
    pairs: Annotated[Path | None, typer.Option(help="JSONL of pairs.")] = None,
    method: Annotated[
        str,
        typer.Option(
            help="Methods, comma-separated; all is each but those that ask a language model."
        ),
    ] = "default",
    shots: Annotated[str, typer.Option(help="Pairs of a person that are seen.")] = "0,1,2,4,8,16",
    seeds: Annotated[int, typer.Option(help="Each tests other people.")] = 3,
    split: Annotated[
        str,
        typer.Option(
            help="What is new: unseen-person, seen-text, unseen-text, unseen-group, seen-person,"
            " later."
        ),
    ] = "unseen-person",
    active: Annotated[
        str,
        typer.Option(
            help="Rules that choose what a method is shown, beside random: bald, d-optimal, pref,"
            " v-optimal; comma-separated; all is each."
        ),
    ] = "",
    workers: Annotated[int, typer.Option(help="Processes; 0 is two where there are.")] = 0,
    ray: Annotated[str, typer.Option(help="Address of a Ray cluster.")] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write the result; - prints it.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Where to write the page with the curves.")
    ] = None,
) -> None:
    """Accuracy of personal rewards on unseen people, beside what must be beaten."""
    result = late("evaluate.reward").evaluate_reward(
        _names(data),
        pairs=pairs,
        methods=_names(method),
        shots=late("app.cli_pairs").numbers(shots),
        seeds=seeds,
        split=split,
        active=_names(active),
        workers=workers or min(2, os.cpu_count() or 1),
        ray=ray,
        folder=late("models.cache").cache_dir() / "evaluate",
        created=now(),
        progress=progress(),
    )
    if json_file is not None and json_file != Path("-"):
        result.save(json_file)
    if report is not None:
        late("evaluate.report").write_report(result, report)
    if json_file == Path("-"):
        print(result.to_json())
        return
    shown = late("app.cli_pairs")
    print(shown.table(shown.headline(result.rows)))
    for line in shown.notes(result.metadata):
        say(line)


def values_fit(
    permissive: Annotated[
        bool, typer.Option("--permissive", help="Only data whose licence lets the weights ship.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder; empty is the cache, where guards look first.")
    ] = None,
    features: Annotated[
        str,
        typer.Option(help="small, or local: beside them a local model's hidden states, slower."),
    ] = "small",
    as_json: Json = False,
) -> None:
    """Refit the heads on all data there is, and measure them on what was held out."""
    card = late("values.fitting").fit(
        late("evaluate.datasets.search").data_root(),
        out or late("models.cache").cache_dir() / "heads",
        progress=say,
        permissive=permissive,
        features=_one_of(features, ("small", "local"), "features"),
    )
    lines = "\n".join(f"{value:7.3f}  {name}" for name, value in card.figures.items())
    show(card, lines, as_json=as_json)


def values_check(as_json: Json = False) -> None:
    """Recall and false refusals of the guards on data they were not fitted on."""
    root = late("evaluate.datasets.search").data_root()
    rows = [late("evaluate.schema").Row(**row) for row in late("values.measuring").check(root)]
    lines = late("app.cli_pairs").table(rows)
    show({"schema_version": "1.0", "rows": rows}, lines, as_json=as_json)


def _one_of(given: str, known: tuple[str, ...], field: str) -> str:
    if given not in known:
        raise InputError(f"{given!r} is no {field}", hint=f"one of {', '.join(known)}", field=field)
    return given


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
