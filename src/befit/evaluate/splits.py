"""Who is learned from and who is tested, and which of a test person's pairs are seen.

People are split by a stable hash of their id. Support and query of a person share no text (or no
prompt), and nothing that nearly is the same text. What a file says of its own parts is honoured.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from befit.core.errors import InputError
from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.schema import PairData, PairRow, people_of

FOLDS = 3  # of which one is tested, by a different seed each
VALIDATION_SHARE = 0.25  # of the people who are not tested
MOST_QUERIES = 20
Separation = Literal["nearly the same", "the same", "the same prompt"]

NEAR = 0.8  # Jaccard similarity from which two texts count as the same


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSplit:
    """One division of the people.

    Attributes:
        train: Pairs of the people learned from.
        validation: Pairs of other people, to choose settings by.
        test: The pairs of each unseen person.
    """

    train: tuple[PairRow, ...]
    validation: tuple[PairRow, ...]
    test: Mapping[str, tuple[PairRow, ...]]


@dataclass(frozen=True, slots=True)
class Draw:
    """What a method sees of a person, in order, and what it is asked."""

    support: tuple[PairRow, ...]
    query: tuple[PairRow, ...]


def split_people(data: PairData, seed: int, most_test: int) -> PeopleSplit:
    """Divide the people; three seeds in a row test every person once.

    Args:
        data: The data set.
        seed: Which third of the people is tested.
        most_test: Test at most this many, the first by hash.

    Raises:
        InputError: There are too few people for three groups.
    """
    if any(row.part for row in data.rows):
        return _as_given(data)
    people = people_of(data.rows)
    salt, fold = divmod(seed, FOLDS)
    ordered = sorted(people, key=lambda user: stable_seed("people", salt, user))
    cuts = [round(len(ordered) * part / FOLDS) for part in (fold, fold + 1)]
    test = ordered[cuts[0] : cuts[1]][:most_test]
    rest = ordered[: cuts[0]] + ordered[cuts[1] :]
    return _checked(data, people, rest, {user: tuple(people[user]) for user in test})


def _as_given(data: PairData) -> PeopleSplit:
    """The file's own parts; pairs without a part are train."""
    asked = people_of([row for row in data.rows if row.part in {"support", "query"}])
    people = people_of([row for row in data.rows if row.part in {"", "train"}])
    ordered = sorted(people, key=lambda user: stable_seed("people", 0, user))
    test = {
        user: tuple(own) for user, own in asked.items() if any(row.part == "query" for row in own)
    }
    return _checked(data, people, ordered, test)


def _checked(
    data: PairData,
    people: Mapping[str, Sequence[PairRow]],
    rest: Sequence[str],
    test: Mapping[str, tuple[PairRow, ...]],
) -> PeopleSplit:
    validated = max(1, round(VALIDATION_SHARE * len(rest)))
    if not test or len(rest) < 2:
        raise InputError(
            f"{data.name}: {len(rest)} people to learn from and {len(test)} to test are too few",
            hint="give pairs of at least three people, or mark parts train and query",
            field="data",
        )
    return PeopleSplit(
        train=tuple(row for user in rest[validated:] for row in people[user]),
        validation=tuple(row for user in rest[:validated] for row in people[user]),
        test=test,
    )


def draw(
    rows: Sequence[PairRow], groups: Sequence[Sequence[int]], most_shots: int, seed: int
) -> Draw:
    """One division of a test person's pairs.

    Whole groups go to one side. The query gets what the most shots leave, at least a third of the
    pairs and at most 20.

    Args:
        rows: The person's pairs.
        groups: Indices of pairs that must stay together, as `groups_of` finds them.
        most_shots: The most support that will be asked for.
        seed: Same seed, same draw.
    """
    rng = np.random.default_rng(seed)
    if any(row.part for row in rows):
        given = [row for row in rows if row.part == "support"]
        order = rng.permutation(len(given))
        query = tuple(row for row in rows if row.part == "query")
        return Draw(tuple(given[i] for i in order), query)
    if most_shots == 0:
        return Draw((), tuple(rows))
    wanted = min(max(len(rows) - most_shots, len(rows) // 3, 1), MOST_QUERIES)
    allowed = max(len(rows) - most_shots, wanted)
    query_at: list[int] = []
    support_at: list[int] = []
    for index in rng.permutation(len(groups)):
        group = groups[index]
        fits = len(query_at) < wanted and len(query_at) + len(group) <= allowed
        (query_at if fits else support_at).extend(group)
    if not query_at:  # one group holds everything: nothing may be seen of it
        return Draw((), tuple(rows))
    order = rng.permutation(len(support_at))
    return Draw(tuple(rows[support_at[i]] for i in order), tuple(rows[i] for i in sorted(query_at)))


def separate(
    rows: Sequence[PairRow], disjoint: Literal["texts", "prompts"]
) -> tuple[tuple[tuple[int, ...], ...], Separation]:
    """Groups that must stay together, by the strictest rule that leaves two, and that rule.

    Where all texts of a person nearly are the same, only the same text is kept apart, and where
    one text is in every pair, only the same prompt.
    """
    for rule in ("nearly the same", "the same", "the same prompt"):
        by_prompt = rule == "the same prompt"
        groups = groups_of(
            rows, "prompts" if by_prompt else disjoint, nearly=rule == "nearly the same"
        )
        if len(groups) > 1:
            return groups, rule
    return groups_of(rows, disjoint), "nearly the same"


def groups_of(
    rows: Sequence[PairRow], disjoint: Literal["texts", "prompts"], *, nearly: bool = True
) -> tuple[tuple[int, ...], ...]:
    """Indices of pairs that share a text (or prompt), or nearly, directly or through others."""
    texts = [[row.prompt] if disjoint == "prompts" else [row.chosen, row.rejected] for row in rows]
    words = {text: frozenset(re.findall(r"\w+", text.lower())) for own in texts for text in own}
    root = {text: text for text in words}

    def find(text: str) -> str:
        while root[text] != text:
            text = root[text]
        return text

    for own in texts:
        root[find(own[-1])] = find(own[0])
    for a, b in combinations(words, 2) if nearly else ():
        if near(words[a], words[b]):
            root[find(b)] = find(a)
    groups: dict[str, list[int]] = {}
    for index, own in enumerate(texts):
        groups.setdefault(find(own[0]), []).append(index)
    return tuple(tuple(group) for group in groups.values())


def near(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two texts, as sets of words, are the same but for a few words."""
    small, large = sorted((len(a), len(b)))
    if small < NEAR * large:
        return False
    common = len(a & b)
    return common >= NEAR * (small + large - common)


def overlap(rows: Sequence[PairRow]) -> int:
    """How many support pairs of a file's own parts share a text with the same person's query."""
    asked = {(r.user, text) for r in rows if r.part == "query" for text in (r.chosen, r.rejected)}
    return sum(
        (row.user, row.chosen) in asked or (row.user, row.rejected) in asked
        for row in rows
        if row.part == "support"
    )
