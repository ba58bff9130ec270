"""What a data set gives away by its format alone, and what nearly the same texts would.

``format-probe`` is a Bradley-Terry model that sees no word and no length of a text: brackets,
quotation marks, white space, markup, case and punctuation. ``length-probe`` sees the length alone.
Both are fitted on the people learned from and asked what the methods are asked. Format that people
do not care for leaves them at .5; what is above is a taste, or a label that leaked into the way the
texts were written down: the rejected answers of a published set stood in brackets, and a model that
read nothing else had .97 of them. Which of the two it is, a reader must look and see.

That the chosen text is named first tells nothing here: a method's answer for a pair turned round is
the negative of its answer (`befit.testing.rewards`).
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from befit.align.rewards.blind import bradley_terry
from befit.align.rewards.pairs import Array, Pairs, Texts
from befit.evaluate.collected import Collected, pair_means
from befit.evaluate.metrics.accuracy import hits
from befit.evaluate.schema import Row, people_of
from befit.evaluate.splits import groups_of
from befit.evaluate.statistics import mean_of_people
from befit.evaluate.trials import Division

FORMAT, LENGTH, METRIC = "format-probe", "length-probe", "probe_accuracy"
_RIDGE = 1.0
_FEWEST_PEOPLE = 2
_TRAITS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^\s*[\[({]",  # opens with a bracket
        r"[\])}]\s*$",
        r"^\s*[\"'\u201c\u00ab]",  # opens with a quotation mark
        r"[\"'\u201d\u00bb]\s*$",
        r"^\s",
        r"\s$",
        r"\S {2,}\S",
        r"\n",
        r"\\[nrtu\"']",  # an escape that was never undone
        r"<[a-zA-Z/][^>]*>|&[a-z]+;",  # markup of the web
        r"(?m)^#{1,6} |\*\*|`",  # markup of markdown
        r"(?m)^\s*([-*+]|\d+[.)]) ",  # a list
        r"https?://",
        r"^\s*[A-Z\u00c0-\u00de]",
        r"[.!?][\"')\]]*\s*$",
        r"[^\x00-\x7f]",
        r"\b[A-Z]{2,}\b",
        r"\d",
    )
)


def format_probes(collected: Collected, divisions: Sequence[Division]) -> list[Row]:
    """Accuracies of both probes, means over people.

    Args:
        collected: Whom the methods were asked about, and on which pairs.
        divisions: What it was collected from.
    """
    texts = divisions[0].numbered.texts
    rows = []
    for name, seen in ((FORMAT, format_of(texts)), (LENGTH, _length_of(texts))):
        answered = np.concatenate([_answers(division, seen) for division in divisions])
        pairs = pair_means(collected.person, collected.pair, hits(answered)[:, None])
        means = np.array([own.mean() for own in pairs])
        if len(means) >= _FEWEST_PEOPLE:
            value, lo, hi = mean_of_people(means)
            rows.append(
                Row(
                    data=collected.name, method=name, shots=None, metric=METRIC, value=value,
                    lo=min(lo, value), hi=max(hi, value), people=len(means),
                )
            )  # fmt: skip
    return rows


def _answers(division: Division, seen: Array) -> Array:
    """Probability of the chosen text of every pair that is asked, case by case."""
    learned = division.train.joined()[0].decided()
    x = _differences(learned, seen)
    asked = np.concatenate([case.query for case in division.cases]).astype(np.intp)
    if not len(x):
        return np.full(len(asked), 0.5)
    weights = bradley_terry(x, _RIDGE, np.zeros(x.shape[1]))
    margin = _differences(division.numbered.pairs.take(asked), seen) @ weights
    found: Array = 1.0 / (1.0 + np.exp(-margin))
    return found


def _differences(pairs: Pairs, seen: Array) -> Array:
    found: Array = seen[pairs.chosen] - seen[pairs.rejected]
    return found


def format_of(texts: Texts) -> Array:
    """How each text is written down, whatever it says, shape (texts, traits)."""
    found = [[pattern.search(name) is not None for pattern in _TRAITS] for name in texts.names]
    return np.array(found, dtype=np.float64).reshape(len(texts), len(_TRAITS))


def _length_of(texts: Texts) -> Array:
    return np.log1p([[float(len(name))] for name in texts.names]).reshape(len(texts), 1)


def near_duplicates(divisions: Sequence[Division]) -> dict[str, Any]:
    """What the gate between support and query held back.

    Of each tested person's pairs: how many there are, and how many must stay on one side with more
    pairs than share a text with them, because a text nearly is the same.
    """
    data = divisions[0].numbered.data
    people = people_of(data.rows)
    held, total = 0, 0
    for user in dict.fromkeys(case.user for division in divisions for case in division.cases):
        rows = people[user]
        near, same = (
            {at: len(group) for group in groups_of(rows, data.disjoint, nearly=how) for at in group}
            for how in (True, False)
        )
        total += len(rows)
        held += sum(near[at] > same[at] for at in near)
    return {"data": data.name, "pairs": total, "held_together": held}
