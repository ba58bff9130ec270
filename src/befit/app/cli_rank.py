"""A command that ranks texts as a person would, and says why: rank."""

from collections.abc import Mapping
from typing import Annotated

import typer

from befit.app.cli_shared import Json, Person, Scope, show, turn, workshop
from befit.core.dialogue import Draft
from befit.core.errors import InputError
from befit.core.protocols import Explains

_SHOWN = 3  # reasons in a line
_CLIPPED = 60  # characters of a text in a line


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rank)


def rank(
    user: Person,
    prompt: Annotated[str, typer.Argument(help="What the texts answer.")],
    texts: Annotated[list[str], typer.Argument(help="The texts, two or more.")],
    *,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Rank texts as the person would, best first, and say why.

    A score is in logits above the mean of the texts, beside how unsure it is. Reasons add up to it.
    """
    if len(texts) < 2:
        raise InputError("there is one text", hint="give two or more", field="texts")
    shop = workshop()
    context = turn(user, prompt, scope=scope)
    conditioning = shop.cycle().prepare(context)
    drafts = [Draft(text=text, policy="given") for text in texts]
    reward = shop.reward
    scores = reward.score(context, conditioning, drafts)
    doubts = reward.uncertainty(context, conditioning, drafts)
    why = (
        reward.explain(context, conditioning, drafts)
        if isinstance(reward, Explains)
        else [{} for _ in drafts]
    )
    order = sorted(range(len(texts)), key=lambda i: -scores[i])
    ranked = [
        {"text": texts[i], "score": scores[i], "doubt": doubts[i], "why": dict(why[i])}
        for i in order
    ]
    lines = (
        f"{scores[i]:+.2f} +- {doubts[i]:.2f}  {_clipped(texts[i])}{_reasons(why[i])}"
        for i in order
    )
    show(ranked, "\n".join(lines), as_json=as_json)


def _clipped(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CLIPPED else f"{line[: _CLIPPED - 1]}\u2026"


def _reasons(parts: Mapping[str, float]) -> str:
    said = [f"{name} {value:+.2f}" for name, value in parts.items() if abs(value) >= 0.005]
    return f"\n      {', '.join(said[:_SHOWN])}" if said else ""
