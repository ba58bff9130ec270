"""Which of a person's own words matter for this prompt.

Words (BM25, as a share of what the prompt could reach) and meaning (cosine of embeddings) say how
relevant an excerpt is. To a request for help, what the person states as a preference counts more,
and what they say of themselves; to a question of fact, what was said just before or after what
answers it. Recency and certainty decide between equals. Exact, within one person. An excerpt that
has nothing to do with the prompt is left out however much room there is: what does not belong to
the question must not change the answer.

Source: BM25, Robertson and Zaragoza 2009, equation 3.15; the product of relevance, recency and
importance, Park et al. 2023 (arXiv:2304.03442, section 4.1).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from befit.core.people import EvidenceKind
from befit.core.preference import Evidence
from befit.memory.wording import Asked, of_oneself

CHARACTERS_PER_TOKEN = 4
DOUBTFUL = 1.6  # variance of a value that was read where nothing was stated
STATED = 0.3  # what a stated preference is worth to a request beside words of the same cosine
OF_ONESELF = 0.2  # likewise of other words in which the person tells of themselves
BESIDE = 0.5  # part of what answers a question of fact that goes to what was said next to it
TOGETHER = timedelta(hours=1)  # most between two things said in one conversation
HALF = 0.5  # share of its sentences from which a text tells of its writer
SHARED = 0.05  # share of a prompt's words from which an excerpt has to do with it, cosine or not


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of prompt is searched for; chosen on half of PrefEval's and LoCoMo's people.

    Attributes:
        words: What all words of the prompt count beside a cosine of 1.
        stated: Cosine with the prompt's topic from which a stated preference has to do with it.
        own: The same of other words in which the person tells of themselves.
        other: The same of the rest.
    """

    words: float
    stated: float
    own: float
    other: float


HELP = Way(words=0.5, stated=0.06, own=0.08, other=0.2)
FACT = Way(words=2.0, stated=0.1, own=0.2, other=0.2)

_K1, _B = 1.2, 0.75
_KNOWN = 32_768  # words whose stems are kept
_FEW = 64  # rows up to which a list is faster than an array
_WORD = re.compile(r"[^\W_]+")
_PLAIN = bytes(ord(c.lower() if c.isalnum() else " ") for c in map(chr, range(128))) + bytes(128)
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
_Arrays = tuple[NDArray[np.intp], NDArray[np.float64]]
Postings = tuple[tuple[int, ...], tuple[float, ...]] | _Arrays


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of evidence with what was derived from it.

    Attributes:
        key: Its row.
        evidence: What was observed.
        vector: Embedding of its text by ``encoder``, as `pack_vector` makes it; None without one.
        encoder: Name of the encoder.
        latent: Difference of its pair in the coordinates of ``taste``, of a grade that of its text
            beside the empty one; None without either.
        taste: Version of those coordinates.
    """

    key: int
    evidence: Evidence
    vector: bytes | None = None
    encoder: str = ""
    latent: tuple[float, ...] | None = None
    taste: str = ""


def pack_vector(vector: Vector) -> bytes:
    """A unit vector as int8, a quarter of its size; its direction moves by under one degree."""
    largest = float(np.abs(vector).max()) or 1.0
    return bytes(np.rint(vector * (127.0 / largest)).astype(np.int8).tobytes())


def unpack_vectors(blobs: Sequence[bytes]) -> Vector:
    """The unit vectors of `pack_vector`, shape (len(blobs), width)."""
    packed = np.frombuffer(b"".join(blobs), dtype=np.int8).reshape(len(blobs), -1)
    vectors = packed.astype(np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors /= np.maximum(norms, 1.0)[:, None]
    return vectors


def stems(text: str) -> list[str]:
    """The words of a text that carry meaning, without their endings."""
    if text.isascii():  # the same words, in half the time
        words = text.encode().translate(_PLAIN).decode().split()
    else:
        words = _WORD.findall(text.casefold())
    return [stem for word in words if (stem := _STEMS[word])]


class _Stems(dict[str, str]):
    """The stems of words met before; "" for one that carries no meaning."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _KNOWN:
            self.clear()
        stem = self[word] = "" if word in _STOP else _stem(word)
        return stem


_STEMS = _Stems()


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

    Attributes:
        costs: Tokens of each excerpt.
        cheapest: The least of them.
    """

    def __init__(self, entries: Sequence[Entry], encoder: str = "") -> None:
        self.entries = entries
        # tuples: the garbage collector need not look into those of plain values
        self._said = tuple([tuple(stems(each.evidence.text)) for each in entries])
        self._terms = frozenset(chain.from_iterable(self._said))
        self._places: dict[str, list[int]] = {}
        stated, own, blobs = [], [], {}
        for row, entry in enumerate(entries):
            e = entry.evidence
            explicit = e.kind is EvidenceKind.STATED
            stated.append(max(0.0, 1.0 - e.noise * e.noise / DOUBTFUL) if explicit else 0.0)
            own.append(e.origin == "person")
            if entry.vector is not None and entry.encoder == encoder:
                blobs[row] = entry.vector
        self.costs = tuple([len(e.evidence.text) // CHARACTERS_PER_TOKEN + 1 for e in entries])
        self.cheapest = min(self.costs, default=1)
        sizes = [len(each) for each in self._said]
        mean = max(1.0, sum(sizes) / max(1, len(sizes)))
        self._sizes = tuple([_K1 * (1.0 - _B + _B / mean * size) for size in sizes])
        self._postings: dict[str, Postings] = {}
        self._selves: dict[int, float] = {}
        self._stated, self._own = np.array(stated), np.array(own, dtype=bool)
        self._rows = np.array(list(blobs), dtype=np.intp)
        self._matrix = unpack_vectors(list(blobs.values())) if blobs else None

    @property
    def has_vectors(self) -> bool:
        """Whether any excerpt has an embedding."""
        return self._matrix is not None

    def relevance(self, asked: Asked) -> NDArray[np.float64]:
        """How much each entry has to do with the prompt, >= 0; 0 is nothing at all."""
        way = FACT if asked.of_fact else HELP
        share = self._words(asked.text)
        scores, related = way.words * share, share > 0.0
        if asked.vector is not None and asked.topic is not None and self._matrix is not None:
            cosine = (self._matrix @ asked.vector).astype(np.float64)
            scores[self._rows] += np.maximum(cosine, 0.0)
            near = cosine if asked.of_fact else (self._matrix @ asked.topic).astype(np.float64)
            related[self._rows] = (share[self._rows] > SHARED) | (near > self._least(near, way))
        related &= self._own
        scores[~self._own] = 0.0
        if asked.of_fact:
            self._spread(scores)
        else:
            scores += np.maximum(STATED * self._stated, OF_ONESELF * self._told(related))
        return np.where(related, scores, 0.0)

    def _least(self, near: NDArray[np.float64], way: Way) -> NDArray[np.float64]:
        """The cosine that each row with an embedding has to reach."""
        least = np.where(self._stated[self._rows] > 0.0, way.stated, way.other)
        if way.own < way.other:
            for place in np.flatnonzero((near > way.own) & (near <= least)):
                row = int(self._rows[place])
                if self._of_oneself(row) >= HALF:
                    least[place] = way.own
        return least

    def _told(self, related: NDArray[np.bool_]) -> NDArray[np.float64]:
        """How far each of these tells of the person; only looked at where nothing is stated."""
        told = np.zeros(len(self.entries))
        for row in np.flatnonzero(related & (STATED * self._stated < OF_ONESELF)):
            told[row] = self._of_oneself(int(row))
        return told

    def _of_oneself(self, row: int) -> float:
        if row not in self._selves:
            self._selves[row] = of_oneself(self.entries[row].evidence.text)
        return self._selves[row]

    def _spread(self, scores: NDArray[np.float64]) -> None:
        """Add to each a part of the better of its neighbours in the same conversation."""
        times = [each.evidence.at for each in self.entries]
        if len(times) < 2:
            return
        together = np.array([abs(after - before) <= TOGETHER for before, after in pairwise(times)])
        beside = np.zeros(len(scores))
        beside[1:] = np.where(together, scores[:-1], 0.0)
        beside[:-1] = np.maximum(beside[:-1], np.where(together, scores[1:], 0.0))
        scores += BESIDE * beside

    def _words(self, prompt: str) -> NDArray[np.float64]:
        """BM25 of each entry, as a share of the most that these words could give, in [0, 1)."""
        scores = np.zeros(len(self.entries))
        few: dict[int, float] = {}
        most = 0.0
        for term in dict.fromkeys(stems(prompt)):
            if term not in self._terms:
                most += self._rarity(0)
                continue
            if term not in self._postings:
                self._postings[term] = self._posting(term)
            rows, parts = self._postings[term]
            most += self._rarity(len(rows))
            if isinstance(rows, tuple):
                for row, part in zip(rows, parts, strict=True):
                    few[row] = few.get(row, 0.0) + part
            else:
                scores[rows] += parts
        if few:
            scores[list(few)] += list(few.values())
        return scores / ((_K1 + 1.0) * most) if most else scores

    def _rarity(self, found: int) -> float:
        """What a word counts that stands in so many entries."""
        return log(1.0 + (len(self.entries) - found + 0.5) / (found + 0.5))

    def _posting(self, term: str) -> Postings:
        """The rows that have a term, and its part of their score."""
        if len(self._said) <= _FEW:
            found = {
                row: times for row, said in enumerate(self._said) if (times := said.count(term))
            }
        else:
            found = Counter(self._placed()[term])
        rarity = self._rarity(len(found))
        parts = [
            rarity * times * (_K1 + 1.0) / (times + self._sizes[row])
            for row, times in found.items()
        ]
        if len(parts) <= _FEW:
            return tuple(found), tuple(parts)
        return np.array(list(found)), np.array(parts)

    def _placed(self) -> dict[str, list[int]]:
        """The rows of every term, as often as it occurs there; made when it is first wanted."""
        if not self._places:
            places: dict[str, list[int]] = {}
            for row, said in enumerate(self._said):
                for term in said:
                    places.setdefault(term, []).append(row)
            self._places = places
        return self._places

    def ranked(
        self,
        weights: NDArray[np.float64],
        asked: Asked,
        useful: NDArray[np.float64] | None = None,
    ) -> list[int]:
        """The rows that have to do with the prompt and count today, best first, then newest."""
        relevance = self.relevance(asked)
        scores = relevance * (0.75 + 0.25 * weights)
        if useful is not None:
            scores *= useful
        rows = np.flatnonzero((relevance > 0.0) & (weights > 0.0))[::-1]
        order: list[int] = rows[np.argsort(-scores[rows], kind="stable")].tolist()
        return order


def select(
    index: Index,
    weights: NDArray[np.float64],
    asked: Asked,
    budget: int,
    useful: NDArray[np.float64] | None = None,
) -> tuple[Evidence, ...]:
    """The excerpts for a prompt, best first.

    Args:
        index: The person's excerpts.
        weights: What each counts on this day in this scope, in [0, 1], shape (entries,); 0 leaves
            it out.
        asked: The prompt.
        budget: Tokens that the excerpts may take together, at 4 characters each.
        useful: What the relevance of each is multiplied by (`memory.usefulness`); None is 1.
    """
    if budget <= 0 or not index.entries:
        return ()
    chosen: dict[str, Evidence] = {}
    for row in index.ranked(weights, asked, useful):
        if budget < index.cheapest:
            break
        e = index.entries[row].evidence
        cost = index.costs[row]
        if cost <= budget and e.text not in chosen:
            chosen[e.text] = e
            budget -= cost
    return tuple(chosen.values())
