"""Act b: three people ask the same questions of the same model.

Each gets their own answer, and one person nobody knows gets the generic one. Closeness is measured
by style checkers against what each person wants, and by the model's log-likelihood of the answers
that each would have liked: own conditioning against none, and against the other people's.
"""

from dataclasses import dataclass
from statistics import fmean

from befit.app.demo.measure import closeness, mean_row
from befit.app.demo.people import Person, Script
from befit.app.demo.stage import START, Stage, asks
from befit.app.evidence import stated
from befit.core.dialogue import Conditioning, Response
from befit.core.people import UserId
from befit.core.preference import PreferenceSpace
from befit.evaluate.schema import Row

STRANGER = "stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was said, and how close it came.

    Attributes:
        generic: The answer to each question without a profile.
        personal: Person -> their answer to each question.
        rows: The measured figures.
    """

    generic: tuple[Response, ...]
    personal: dict[str, tuple[Response, ...]]
    rows: tuple[Row, ...]


def tell(stage: Stage, space: PreferenceSpace, person: Person) -> None:
    """Remember a person's statements, one a minute."""
    stage.cycle.remember(
        stated(space, UserId(person.name), text, START) for text in person.statements
    )


def answer_all(stage: Stage, script: Script) -> Answers:
    """Everybody asks everything."""
    generic = tuple(
        stage.cycle.respond(asks(STRANGER, question, seed=i))
        for i, question in enumerate(script.questions)
    )
    personal: dict[str, tuple[Response, ...]] = {}
    for person in script.people:
        stage.say(f"{person.name}, who {person.about}")
        personal[person.name] = tuple(
            stage.cycle.respond(asks(person.name, question, seed=i))
            for i, question in enumerate(script.questions)
        )
    rows = (*_style(script, generic, personal), *_likelihood(stage, script))
    return Answers(generic=generic, personal=personal, rows=rows)


def _style(
    script: Script, generic: tuple[Response, ...], personal: dict[str, tuple[Response, ...]]
) -> list[Row]:
    """Closeness of own, generic and another person's answers, and what own adds."""

    def to(person: Person, answers: tuple[Response, ...]) -> list[float]:
        return [closeness(answer.text, person.wants) for answer in answers]

    own = [to(person, personal[person.name]) for person in script.people]
    plain = [to(person, generic) for person in script.people]
    others = [
        [fmean(column) for column in zip(*(to(p, personal[o.name]) for o in rest), strict=True)]
        for p, rest in _others(script)
    ]
    return [
        mean_row("personal", "style_closeness", own),
        mean_row("generic", "style_closeness", plain),
        mean_row("wrong-user", "style_closeness", others),
        mean_row("personal", "style_gain_over_generic", _less(own, plain)),
        mean_row("wrong-user", "style_gain_over_generic", _less(others, plain)),
    ]


def _likelihood(stage: Stage, script: Script) -> list[Row]:
    """Nats per token of the wished-for answers: own conditioning, and the others', less none."""
    own, wrong = [], []
    for person, rest in _others(script):
        plain, mine = (_of_references(stage, script, person, who) for who in (None, person))
        theirs = [_of_references(stage, script, person, other) for other in rest]
        own.append(_less([mine], [plain])[0])
        wrong.append(_less([[fmean(each) for each in zip(*theirs, strict=True)]], [plain])[0])
    return [
        mean_row("personal", "log_likelihood_gain", own),
        mean_row("wrong-user", "log_likelihood_gain", wrong),
        mean_row("personal", "log_likelihood_gain_over_wrong_user", _less(own, wrong)),
    ]


def _of_references(
    stage: Stage, script: Script, person: Person, told_of: Person | None
) -> list[float]:
    """How likely each answer that a person would have liked is, with what is known of somebody."""
    contexts = [asks(person.name, question) for question in script.questions]
    known = [
        stage.cycle.prepare(asks(told_of.name, question)) if told_of else Conditioning()
        for question in script.questions
    ]
    return stage.model.log_likelihoods(list(zip(contexts, known, person.references, strict=True)))


def _others(script: Script) -> list[tuple[Person, tuple[Person, ...]]]:
    """Each person with everybody else."""
    return [(p, tuple(o for o in script.people if o is not p)) for p in script.people]


def _less(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    return [[x - y for x, y in zip(p, q, strict=True)] for p, q in zip(a, b, strict=True)]
