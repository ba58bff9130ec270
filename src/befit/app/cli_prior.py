"""What to believe of strangers, learned from everybody who allows it: prior."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from befit.app.cli_rights import heeding_cycle
from befit.app.cli_shared import Json, late, now, show, workshop


def prior(
    out: Annotated[
        Path | None, typer.Option(help="Where to write it as a table for befit.toml as well.")
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the one before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Learn from everybody what to believe of strangers, and how fast beliefs go stale."""
    shop = workshop()
    cycle, memory = heeding_cycle()
    beliefs = late("align.train.beliefs")
    if rollback:
        before = cycle.artifacts.rollback(None, beliefs.KIND)
        show(before, f"active again: {before.id if before else 'none'}", as_json=as_json)
        return
    people = [memory.usable(user, "train") for user in memory.people()]
    fold = shop.build("inferer", shop.settings.inferer, "inferer")
    made = beliefs.learn_beliefs(fold, shop.space, people, now())
    with TemporaryDirectory(prefix="befit-") as folder:
        artifact = made.artifact(Path(folder), shop.space, now())
        cycle.artifacts.put(artifact, Path(folder))
        cycle.artifacts.promote(artifact.id)
    table = {
        "use": "bayes",
        "half_life_days": {"": fold.half_life(""), **made.learned.half_life_days},
        "prior": asdict(made.learned.prior),
    }
    if out is not None:
        lines = [f"{name} = {_toml(value)}" for name, value in table.items()]
        out.write_text("\n".join(["[inferer]", *lines, ""]), "utf-8")
    measured = ", ".join(f"{name} {value:.3g}" for name, value in made.metrics.items())
    shown = {**table, "artifact": artifact.id, "metrics": made.metrics}
    show(shown, f"promoted {artifact.id}: {measured}", as_json=as_json)


def _toml(value: Any) -> str:
    """A value as TOML spells it, in one line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(k)} = {_toml(v)}' for k, v in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
