"""Is a statement of a preference told from everything that only looks like one?

Positives are people's stated preferences (PrefEval) and our own wordings; negatives are PrefEval's
questions, ordinary turns of volunteers that ask for something, and our own confusions: what others
like, quotations, hypotheticals, questions, mentions, jokes, the past. No text here was used to
write the reader.
"""

from collections.abc import Callable, Iterator

import numpy as np

from befit.evaluate.memory.corpora import prefeval
from befit.evaluate.memory.scenarios import DISLIKES, LIKES, SUBJECTS
from befit.evaluate.memory.scores import Score

Reads = Callable[[str], bool]

CONFUSIONS: dict[str, tuple[str, ...]] = {
    "others": (
        "My sister loves {s}.", "My boss can't stand {s}.", "Everyone in my family enjoys {s}.",
        "Our customers prefer {s}.", "He really likes {s}, I'm told.",
    ),
    "quotation": (
        'The review said "I love {s}".', 'She wrote: "I hate {s}."',
        'Translate into French: "I really like {s}".', "The song goes 'I adore {s}' or so.",
    ),
    "hypothetical": (
        "If I liked {s}, I would say so.", "Suppose I hate {s}; what would you suggest?",
        "Imagine I love {s}.", "Pretend that I'm a fan of {s}.",
    ),
    "question": (
        "Do people like {s}?", "Why do so many people love {s}?", "Should I like {s}?",
        "Is it normal to hate {s}?",
    ),
    "mention": (
        "They sell {s} round the corner.", "I read an article on {s} yesterday.",
        "Write a short poem about {s}.", "There was something about {s} on the radio.",
    ),
    "joke": (
        "Oh sure, because I just love {s}, said nobody ever.",
        "Yeah right, {s} is exactly what I need today...",
    ),
    "past": (
        "As a child I liked {s}.", "I used to love {s} when I was ten.",
    ),
}  # fmt: skip


def detection_scores(reads: Reads, people: int, seed: int) -> Iterator[Score]:
    """Precision and recall, and the share of each kind of confusion that is taken in.

    The cluster is the topic (PrefEval) or the subject (ours).
    """
    rng = np.random.default_rng(seed)
    cases = prefeval()
    for number in rng.permutation(len(cases))[: 8 * people]:
        case = cases[number]
        yield from _labelled("prefeval", case.topic, read=reads(case.preference), wanted=True)
        yield from _labelled("prefeval", case.topic, read=reads(case.question), wanted=False)
    for number in rng.permutation(len(SUBJECTS))[:people]:
        subject = SUBJECTS[number]
        for wording in (*LIKES, *DISLIKES):
            read = reads(_filled(wording, subject))
            yield from _labelled("synthetic", subject, read=read, wanted=True)
        for kind, wordings in CONFUSIONS.items():
            for wording in wordings:
                read = reads(_filled(wording, subject))
                yield from _labelled("synthetic", subject, read=read, wanted=False)
                yield Score(data="synthetic", metric=f"confused_{kind}", person=subject, value=read)


def _filled(wording: str, subject: str) -> str:
    return wording.format(s=subject, S=subject[0].upper() + subject[1:])


def _labelled(data: str, person: str, *, read: bool, wanted: bool) -> Iterator[Score]:
    if wanted:
        yield Score(data=data, metric="statement_recall", person=person, value=read)
    if read:
        yield Score(data=data, metric="statement_precision", person=person, value=wanted)
