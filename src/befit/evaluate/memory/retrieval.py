"""Is the right thing recalled? PrefEval among ordinary turns, LoCoMo's evidence.

A person of PrefEval states one preference, then talks of other things; the question comes last.
The ordinary turns are real questions of volunteers, drawn anew for each person.

Source: Zhao et al. 2025, "Do LLMs Recognize Your Preferences?" (ICLR); Maharana et al. 2024,
"Evaluating Very Long-Term Conversational Memory of LLM Agents" (ACL).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from befit.evaluate.memory.corpora import locomo, ordinary_turns, prefeval
from befit.evaluate.memory.methods import MemoryUnderTest, Turn
from befit.evaluate.memory.scores import Score

DISTRACTORS = (0, 10, 100, 300)
TOP = 5
EVIDENCE_TOP = 10
ASIDE = 5  # questions of other topics
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_APART = timedelta(minutes=30)
_FORMS = {"prefeval": "preference", "prefeval-choice": "choice"}


def prefeval_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """Whether the right preference is among the first `TOP`, after each number of other turns."""
    rng = np.random.default_rng(seed)
    cases, filler = prefeval(), ordinary_turns()
    drawn = rng.choice(len(cases), min(people, len(cases)), replace=False)
    for number in drawn:
        order = rng.choice(len(filler), max(DISTRACTORS), replace=False)
        others = [filler[n] for n in order]
        for data, form in _FORMS.items():
            person = f"{data}-{seed}-{number}"
            right: str = getattr(cases[number], form)
            yield from _one(memory, (data, person), right, cases[number].question, others)


def _one(
    memory: MemoryUnderTest, name: tuple[str, str], right: str, question: str, others: list[str]
) -> Iterator[Score]:
    data, person = name
    memory.remember(person, [Turn(id="right", text=right, at=FIRST)])
    told = 0
    for count in DISTRACTORS:
        new = [
            Turn(id=str(n), text=others[n], at=FIRST + (n + 1) * _APART) for n in range(told, count)
        ]
        if new:
            memory.remember(person, new)
        told = count
        at = FIRST + (count + 1) * _APART
        found = memory.recall(person, question, TOP, at)
        hit = float(right in found)
        yield Score(data=data, metric="prefeval_top5", person=person, value=hit, shots=count)


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
