"""Is the right thing recalled? PrefEval among ordinary turns, LoCoMo's evidence.

A person of PrefEval states one preference, then talks of other things; the question comes last.
The ordinary turns are real questions of volunteers, drawn anew for each person.

Source: Zhao et al. 2025, "Do LLMs Recognize Your Preferences?" (ICLR); Maharana et al. 2024,
"Evaluating Very Long-Term Conversational Memory of LLM Agents" (ACL).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from befit.evaluate.memory.corpora import Case, locomo, ordinary_turns, prefeval
from befit.evaluate.memory.methods import MemoryUnderTest, Turn
from befit.evaluate.memory.reading import Reader
from befit.evaluate.memory.scores import Score

DISTRACTORS = (0, 10, 100, 300)
TOP = 5
EVIDENCE_TOP = 10
ASIDE = 5  # questions of other topics
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_APART = timedelta(minutes=30)


def prefeval_scores(
    memory: MemoryUnderTest, people: int, seed: int, reader: Reader
) -> Iterator[Score]:
    """Whether the right preference is among the first `TOP`, after each number of other turns.

    Three forms: stated outright, said when choosing among options, shown in a turn of a dialogue
    (which is told whole). And whether the question's multiple choice follows from what is recalled.
    """
    for case, number, others in _drawn(people, seed):
        forms = (
            ("prefeval", case.preference, [case.preference]),
            ("prefeval-choice", case.choice, [case.choice]),
            ("prefeval-persona", case.shown, list(case.persona) if case.shown else []),
        )
        for data, right, told in forms:
            if told:
                person = f"{data}-{seed}-{number}"
                _tell(memory, person, told, -len(told))
                probe = _Probe(data, person, right, case)
                yield from _one(memory, probe, others, reader)


def choice_bounds(people: int, seed: int, reader: Reader, *, told: bool) -> Iterator[Score]:
    """The multiple choice where nothing is recalled, or the right preference and nothing else."""
    for case, number, _ in _drawn(people, seed):
        for data, right in (("prefeval", case.preference), ("prefeval-choice", case.choice)):
            value = reader.by_stance([right] if told else [], case.options)
            person = f"{data}-{seed}-{number}"
            yield Score(data=data, metric="prefeval_choice", person=person, value=value)


def _drawn(people: int, seed: int) -> Iterator[tuple[Case, int, list[str]]]:
    """Cases, their numbers, and the other turns of each."""
    rng = np.random.default_rng(seed)
    cases, filler = prefeval(), ordinary_turns()
    for number in rng.choice(len(cases), min(people, len(cases)), replace=False):
        order = rng.choice(len(filler), max(DISTRACTORS), replace=False)
        yield cases[number], int(number), [filler[n] for n in order]


def _tell(memory: MemoryUnderTest, person: str, texts: list[str], first: int) -> None:
    """Turns half an hour apart; the one numbered 0 would be said at `FIRST` and half an hour."""
    numbered = enumerate(texts, start=first)
    memory.remember(
        person, [Turn(id=f"{n}", text=text, at=FIRST + (n + 1) * _APART) for n, text in numbered]
    )


@dataclass(frozen=True, slots=True)
class _Probe:
    """Whom to ask what, and the text that ought to be recalled."""

    data: str
    person: str
    right: str
    case: Case


def _one(
    memory: MemoryUnderTest, probe: _Probe, others: list[str], reader: Reader
) -> Iterator[Score]:
    told = 0
    for count in DISTRACTORS:
        if count > told:
            _tell(memory, probe.person, others[told:count], told)
        told = count
        at = FIRST + (count + 1) * _APART
        found = memory.recall(probe.person, probe.case.question, TOP, at)
        answered = reader.by_stance(found, probe.case.options)
        for metric, value in (
            ("prefeval_top5", float(probe.right in found)),
            ("prefeval_choice", answered),
        ):
            yield Score(
                data=probe.data, metric=metric, person=probe.person, value=value, shots=count
            )


def relevance_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """How often a preference is recalled for questions that it has nothing to do with.

    Questions of other topics; the same memory must recall it for its own (`prefeval_scores` with
    no other turns), so that silence is no way to win.
    """
    rng = np.random.default_rng(seed)
    cases = prefeval()
    for number in rng.choice(len(cases), min(people, len(cases)), replace=False):
        case = cases[number]
        person = f"relevance-{seed}-{number}"
        memory.remember(person, [Turn(id="right", text=case.preference, at=FIRST)])
        others = [other.question for other in cases if other.topic != case.topic]
        for drawn in rng.choice(len(others), ASIDE, replace=False):
            found = memory.recall(person, others[drawn], TOP, FIRST + _APART)
            yield Score(
                data="prefeval",
                metric="over_personalized",
                person=person,
                value=float(case.preference in found),
            )


def locomo_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """The share of a question's evidence among the first `EVIDENCE_TOP` turns.

    Everything both speakers said is kept in one history; an interval is over conversations.
    """
    conversations = locomo()
    rng = np.random.default_rng(seed)
    for number in rng.permutation(len(conversations))[:people]:
        conversation = conversations[number]
        person = f"{conversation.name}-{seed}"
        turns = [
            Turn(id=name, text=text, at=at + n * timedelta(seconds=20))
            for n, (name, _, text, at) in enumerate(conversation.turns)
        ]
        memory.remember(person, turns)
        texts = {turn.id: turn.text for turn in turns}
        end = turns[-1].at + timedelta(days=1)
        shares = []
        for question, evidence in conversation.questions:
            found = set(memory.recall(person, question, EVIDENCE_TOP, end))
            shares.append(sum(texts[each] in found for each in evidence) / len(evidence))
        yield Score(
            data="locomo", metric="locomo_evidence_recall_10", person=person,
            value=sum(shares), count=len(shares),
        )  # fmt: skip
