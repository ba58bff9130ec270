"""Commands that ask a person, and that learn from everybody how beliefs go: ask, prior."""

from typing import Annotated

import typer

from befit.app.cli_prior import prior
from befit.app.cli_rights import heeding
from befit.app.cli_shared import Json, Person, Scope, late, show, turn, workshop
from befit.core.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ask)
    app.command()(prior)


def ask(
    user: Person,
    *,
    about: Annotated[str, typer.Option(help="The dimension that was asked about.")] = "",
    answer: Annotated[
        str, typer.Option(help="What the person says to it: low, between, high or skip.")
    ] = "",
    prompt: Annotated[
        str, typer.Option(help="Show two answers to this to choose from, instead of a question.")
    ] = "",
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """What to ask next, where the answer would say most; with --about and --answer, take it in."""
    shop = workshop()
    cycle, memory = heeding(shop.cycle(), shop)
    module = late("app.asking")
    asking, context = module.asking(shop, memory), turn(user, prompt, scope=scope)
    if bool(about) != bool(answer):
        raise InputError(
            "an answer needs what it is about",
            hint="give --about DIMENSION and --answer together",
            field="about",
        )
    if answer:
        if answer not in list(module.Answer):
            raise InputError(
                f"{answer!r} is no answer", hint="low, between, high or skip", field="answer"
            )
        said = asking.answered(context, about, module.Answer(answer))
        cycle.remember([said])
        show(said, f"{about}: {answer}", as_json=as_json)
    elif prompt:
        shown = asking.pair(cycle, context)
        show(shown, _pair(shown), as_json=as_json)
    else:
        question = asking.question(context)
        told = f"{question.text}  [{question.dimension}]" if question else "nothing worth asking"
        show(question, told, as_json=as_json)


def _pair(shown: object) -> str:
    """Two answers, and how to say which is better."""
    if shown is None:
        return "no two answers differ where it would say much"
    first, second = shown.first, shown.second  # type: ignore[attr-defined]
    return (
        f"1) {first.text}\n\n2) {second.text}\n\n"
        f"If 1 is better: befit feedback {first.id} --over {second.id}\n"
        f"If 2 is better: befit feedback {second.id} --over {first.id}"
    )
