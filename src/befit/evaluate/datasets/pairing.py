"""Turns what a person rated or voted on into pairs, by one rule for all rating data.

Knows nothing of any data set's files.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

BLOCK = 4  # texts of a block; each text is in at most BLOCK - 1 pairs

RULE = (
    "what a person rated is dealt at random into blocks of {block}; every two texts of a block at "
    "least {gap:g} apart make a pair, so each text is used at most {uses} times and no two blocks "
    "share one; whole blocks are kept up to {cap} pairs a person; people with fewer than {least} "
    "pairs are left out, and at most {people} people are kept"
)


def stable_seed(*parts: object) -> int:
    """A seed that depends on the parts alone, the same on every machine."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def rule(*, gap: float, cap: int, least: int, people: int) -> str:
    """The rule in words, for the metadata."""
    return RULE.format(block=BLOCK, uses=BLOCK - 1, gap=gap, cap=cap, least=least, people=people)


def pairs_by_gap(
    ratings: Mapping[str, float], gap: float, cap: int, seed: int
) -> list[tuple[str, str]]:
    """(chosen, rejected) item ids of one person, by the rule above.

    Args:
        ratings: Item id -> rating of this person.
        gap: How far apart two ratings must be, in the unit of the ratings.
        cap: At most this many pairs.
        seed: Decides which items meet.
    """
    items = sorted(ratings)
    np.random.default_rng(seed).shuffle(items)
    pairs: list[tuple[str, str]] = []
    for start in range(0, len(items), BLOCK):
        block = [
            (a, b) if ratings[a] > ratings[b] else (b, a)
            for a, b in combinations(items[start : start + BLOCK], 2)
            if abs(ratings[a] - ratings[b]) >= gap
        ]
        if len(pairs) + len(block) > cap:
            break
        pairs += block
    return pairs


def some(people: Sequence[str], most: int, seed: int) -> list[str]:
    """At most ``most`` of the people, drawn by a stable hash, sorted."""
    return sorted(sorted(people, key=lambda person: stable_seed(seed, person))[:most])
