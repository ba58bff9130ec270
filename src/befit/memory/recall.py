"""Which of a person's own words matter for this prompt.

Words (BM25) and meaning (cosine of embeddings) say how relevant an excerpt is; recency and
certainty decide between equals. Exact, within one person. An excerpt that has nothing to do with
the prompt is left out however much room there is: what does not belong to the question must not
change the answer.

Source: BM25, Robertson and Zaragoza 2009, equation 3.15; the product of relevance, recency and
importance, Park et al. 2023 (arXiv:2304.03442, section 4.1).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from befit.core.preference import Evidence

CHARACTERS_PER_TOKEN = 4
SIMILAR = 0.3  # cosine from which two texts have to do with each other

_K1, _B = 1.2, 0.75
_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    _WORD.findall(
        "a about again all also am an and any are as at be been but by can could did do "
        "does doing for from get give had has have having he her here him his how i if in "
        "into is it its just know let like made make many may me might more most much must "
        "my need no not now of on one only or other our out over please prefer really s she "
        "should so some such t tell than thank thanks that the their them then there these "
        "they thing things this those to too up us use very want was way we well were what "
        "when where which while who why will with without would you your hate love dislike "
        "don ve ll re "
    )
)

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of evidence with what was derived from it.

    Attributes:
        key: Its row.
        evidence: What was observed.
        vector: Unit embedding of its text, shape (width,); None without text or encoder.
        latent: Difference of its pair in the coordinates of ``taste``; None without a pair.
        taste: Version of those coordinates.
        encoder: Name of the encoder of ``vector``.
        terms: Stems of its text, and how often each occurs.
    """

    key: int
    evidence: Evidence
    vector: Vector | None
    latent: tuple[float, ...] | None
    taste: str
    encoder: str
    terms: Counter[str]


def stems(text: str) -> Counter[str]:
    """The words of a text that carry meaning, without their endings."""
    words = (word for word in _WORD.findall(text.casefold()) if word not in _STOP)
    return Counter(_stem(word) for word in words)


def _stem(word: str) -> str:
    if len(word) > 5 and word.endswith("ing"):
        return word[:-3]
    if len(word) > 4 and word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("es", "ed")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word[-1] in "se" and word[-2] != "s" else word


class Index:
    """The excerpts of one person: postings for words, one matrix for meaning.

    Args:
        entries: What to search.
        encoder: Whose embeddings to use; "" for none.
    """

    def __init__(self, entries: Sequence[Entry], encoder: str = "") -> None:
        self.entries = entries
        sizes = [float(sum(entry.terms.values())) for entry in entries]
        self._sizes = np.array(sizes)
        self._mean = max(1.0, sum(sizes) / max(1, len(sizes)))
        self._postings: dict[str, list[tuple[int, int]]] = {}
        for row, entry in enumerate(entries):
            for term, times in entry.terms.items():
                self._postings.setdefault(term, []).append((row, times))
        found = {
            row: entry.vector
            for row, entry in enumerate(entries)
            if entry.vector is not None and entry.encoder == encoder
        }
        self._rows = np.array(list(found), dtype=np.intp)
        self._matrix = np.stack(list(found.values())) if found else None

    @property
    def has_vectors(self) -> bool:
        """Whether any excerpt has an embedding."""
        return self._matrix is not None

    def relevance(self, prompt: str, vector: Vector | None) -> NDArray[np.float64]:
        """How much each entry has to do with the prompt, in [0, 1); 0 is nothing at all.

        Args:
            prompt: What was asked.
            vector: Its unit embedding, where there is an encoder.
        """
        words = self._words(prompt)
        unrelated = 1.0 - words / (1.0 + words)
        if vector is not None and self._matrix is not None:
            cosine = self._matrix @ vector
            meaning = np.clip((cosine - SIMILAR) / (1.0 - SIMILAR), 0.0, 1.0)
            unrelated[self._rows] *= 1.0 - meaning
        return 1.0 - unrelated

    def _words(self, prompt: str) -> NDArray[np.float64]:
        """BM25 of each entry."""
        scores = np.zeros(len(self.entries))
        for term in stems(prompt):
            postings = self._postings.get(term, ())
            rarity = log(1.0 + (len(self.entries) - len(postings) + 0.5) / (len(postings) + 0.5))
            for row, times in postings:
                size = 1.0 - _B + _B * self._sizes[row] / self._mean
                scores[row] += rarity * times * (_K1 + 1.0) / (times + _K1 * size)
        return scores


def select(
    index: Index,
    weights: Sequence[float],
    prompt: str,
    vector: Vector | None,
    budget: int,
) -> tuple[Evidence, ...]:
    """The excerpts for a prompt, best first.

    Args:
        index: The person's excerpts.
        weights: What each counts on this day in this scope, in [0, 1]; 0 leaves it out.
        prompt: What was asked.
        vector: Its unit embedding, where there is an encoder.
        budget: Tokens that the excerpts may take together, at 4 characters each.
    """
    if budget <= 0 or not index.entries:
        return ()
    relevance = index.relevance(prompt, vector)
    related = np.flatnonzero(relevance > 0.0).tolist()
    scored = []
    for row in related:
        e = index.entries[row].evidence
        if weights[row] > 0.0:
            certainty = 1.0 / (1.0 + e.noise * e.noise)
            score = float(relevance[row]) * (0.5 + 0.5 * weights[row]) * certainty
            scored.append((-score, -e.at.timestamp(), e.id, e))
    scored.sort(key=lambda each: each[:3])
    chosen: dict[str, Evidence] = {}
    for *_, e in scored:
        cost = len(e.text) // CHARACTERS_PER_TOKEN + 1
        if cost <= budget and e.text not in chosen:
            chosen[e.text] = e
            budget -= cost
    return tuple(chosen.values())
