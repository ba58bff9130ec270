"""Act c: someone who said nothing compares answers; beliefs move, and the next answers follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from befit.app.demo.measure import closeness, mean_row
from befit.app.demo.people import Script
from befit.app.demo.stage import START, Stage, asks
from befit.core.dialogue import Conditioning, Context, Response
from befit.core.feedback import Choice
from befit.core.people import UserId
from befit.evaluate.schema import Row

DRAFTS = 6  # answers among which the newcomer finds one to like and one not to
TOKENS = 64  # of each: enough to see its form


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """Before and after.

    Attributes:
        choices: How many comparisons were made.
        before: Answers before any reaction.
        after: Answers to the same questions afterwards.
        moved: Dimension -> mean belief before and after, the strongest movers first.
        rows: The measured figures.
    """

    choices: int
    before: tuple[Response, ...]
    after: tuple[Response, ...]
    moved: Mapping[str, tuple[float, float]]
    rows: tuple[Row, ...]


def react(stage: Stage, script: Script) -> Reactions:
    """Ask, compare, ask again."""
    who, wants = script.newcomer.name, script.newcomer.wants
    beliefs = _beliefs(stage, who, day=1)
    before = _ask(stage, script, day=1)
    for day, question in enumerate(script.newcomer_questions, start=2):
        better, worse = _two_answers(
            stage, asks(who, question, day=day, seed=day, tokens=TOKENS), wants
        )
        at = START + timedelta(days=day)
        stage.cycle.receive(UserId(who), Choice(response=better.id, over=worse.id, at=at))
    learned = 2 + len(script.newcomer_questions)
    after = _ask(stage, script, day=learned)
    later = _beliefs(stage, who, day=learned)
    moved = {name: (beliefs.get(name, 0.0), mean) for name, mean in later.items()}
    strongest = sorted(moved, key=lambda name: -abs(moved[name][1] - moved[name][0]))
    return Reactions(
        choices=len(script.newcomer_questions),
        before=before,
        after=after,
        moved={name: moved[name] for name in strongest[:5]},
        rows=(
            mean_row("personal", "style_closeness", [_close(before, wants)], shots=0),
            mean_row(
                "personal",
                "style_closeness",
                [_close(after, wants)],
                shots=len(script.newcomer_questions),
            ),
        ),
    )


def _ask(stage: Stage, script: Script, day: int) -> tuple[Response, ...]:
    return tuple(
        stage.cycle.respond(asks(script.newcomer.name, question, day=day, seed=i))
        for i, question in enumerate(script.newcomer_after)
    )


def _two_answers(
    stage: Stage, context: Context, wants: Mapping[str, float]
) -> tuple[Response, Response]:
    """The answer that the newcomer likes best among several, and the one they like least.

    Nothing is known of them here: all come from the same plain prompt.
    """
    drafts = stage.model.generate(context, Conditioning(), DRAFTS)
    shown = [stage.cycle.admit(context, Conditioning(), [draft]) for draft in drafts]
    shown.sort(key=lambda response: closeness(response.text, wants))
    for response in (shown[-1], shown[0]):
        stage.cycle.record(context, response)
    return shown[-1], shown[0]


def _beliefs(stage: Stage, who: str, day: int) -> dict[str, float]:
    profile = stage.cycle.memory.recall(asks(who, "?", day=day))
    return {p.dimension: p.mean for p in profile.preferences}


def _close(answers: tuple[Response, ...], wants: Mapping[str, float]) -> list[float]:
    return [closeness(answer.text, wants) for answer in answers]
