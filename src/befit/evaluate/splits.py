"""Who is learned from and who is tested, and which of a test person's pairs are seen.

People are split by a stable hash of their id. Support and query of a person share no text (or no
prompt), and nothing that nearly is the same text. What a file says of its own parts is honoured.
What is new about a test is its `Split`: the person (the headline), the person and the texts, the
group the person is of, only the pairs, or only the time.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

import numpy as np

from befit.core.errors import InputError
from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.schema import PairData, PairRow, people_of

FOLDS = 3  # of which one is tested, by a different seed each
VALIDATION_SHARE = 0.25  # of the people who are not tested
MOST_QUERIES = 20
Separation = Literal["nearly the same", "the same", "the same prompt"]
Split = Literal["unseen-person", "seen-person", "seen-text", "unseen-text", "unseen-group", "later"]
SPLITS: tuple[Split, ...] = get_args(Split)
MOST_GROUPS = 60  # values of an attribute that divides people into groups

NEAR = 0.8  # Jaccard similarity from which two texts count as the same


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSplit:
    """One division of the people.

    Attributes:
        train: Pairs of the people learned from.
        validation: Pairs of other people, to choose settings by.
        test: The pairs of each unseen person.
        in_order: Whether support is shown in the order given instead of drawn.
    """

    train: tuple[PairRow, ...]
    validation: tuple[PairRow, ...]
    test: Mapping[str, tuple[PairRow, ...]]
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """What a method sees of a person, in order, and what it is asked."""

    support: tuple[PairRow, ...]
    query: tuple[PairRow, ...]


def split_people(
    data: PairData, seed: int, most_test: int, split: Split = "unseen-person"
) -> PeopleSplit:
    """Divide the people; three seeds in a row test every person once.

    Args:
        data: The data set.
        seed: Which third of the people is tested.
        most_test: Test at most this many, the first by hash.
        split: What is new about the test:

            - ``unseen-person``: the person. Texts may recur where people share them.
            - ``seen-text``: the person; both texts of each pair asked about were seen in training.
            - ``unseen-text``: the person and both texts.
            - ``unseen-group``: the person and everyone of their group: an attribute of theirs, or
              the prompt where each person has one.
            - ``seen-person``: only the pairs; the person's others are learned from.
            - ``later``: the person; what is asked came after what is shown, newest shown first.

    Raises:
        InputError: There are too few people for three groups, or the data set lacks what the
            split needs.
    """
    if any(row.part for row in data.rows):
        if split != "unseen-person":
            raise InputError(
                f"{data.name} says itself what is train and what is test",
                hint="leave the split out",
                field="split",
            )
        return _as_given(data)
    people = people_of(data.rows)
    apart = _group_of(data, people) if split == "unseen-group" else {user: user for user in people}
    test, rest = _thirds(apart, seed)
    plain = _checked(data, people, rest, {user: tuple(people[user]) for user in test[:most_test]})
    return _DIVIDED[split](data, plain, seed)


def _thirds(apart: Mapping[str, str], seed: int) -> tuple[list[str], list[str]]:
    """Who is tested, and who is not; people with one key stay together."""
    salt, fold = divmod(seed, FOLDS)
    keys = sorted(set(apart.values()), key=lambda key: stable_seed("people", salt, key))
    cuts = [round(len(keys) * part / FOLDS) for part in (fold, fold + 1)]
    tested = set(keys[cuts[0] : cuts[1]])
    ordered = sorted(apart, key=lambda user: stable_seed("people", salt, user))
    return [u for u in ordered if apart[u] in tested], [
        u for u in ordered if apart[u] not in tested
    ]


def _group_of(data: PairData, people: Mapping[str, Sequence[PairRow]]) -> dict[str, str]:
    """The group of each person, by the attribute that divides them into most groups."""
    names = sorted({name for about in data.about.values() for name in about})
    by_name = [{u: data.about.get(u, {}).get(name, "") for u in people} for name in names]
    prompts = {user: {row.prompt for row in rows} for user, rows in people.items()}
    if all(len(own) == 1 for own in prompts.values()):
        by_name.append({user: next(iter(own)) for user, own in prompts.items()})
    usable = [g for g in by_name if FOLDS <= len(set(g.values())) <= MOST_GROUPS]
    if not usable:
        raise InputError(
            f"{data.name} has no attribute with {FOLDS} to {MOST_GROUPS} groups of people",
            hint="choose another data set or split",
            field="split",
        )
    return max(usable, key=lambda groups: len(set(groups.values())))


def _whole(_data: PairData, plain: PeopleSplit, _seed: int) -> PeopleSplit:
    return plain


def _with_seen_text(data: PairData, plain: PeopleSplit, _seed: int) -> PeopleSplit:
    seen = {text for row in plain.train for text in (row.chosen, row.rejected)}
    return _tested(data, plain, lambda row: row.chosen in seen and row.rejected in seen)


def _with_unseen_text(data: PairData, plain: PeopleSplit, seed: int) -> PeopleSplit:
    """A third of the texts is asked about and stands nowhere else."""

    def held_out(text: str) -> bool:
        return stable_seed("texts", seed // FOLDS, text) % FOLDS == seed % FOLDS

    def part(row: PairRow) -> Literal["query", "support"] | None:
        both = (held_out(row.chosen), held_out(row.rejected))
        return "query" if all(both) else None if any(both) else "support"

    test = {
        user: tuple(replace(row, part=where) for row in rows if (where := part(row)))
        for user, rows in plain.test.items()
    }
    kept = {u: rows for u, rows in test.items() if any(row.part == "query" for row in rows)}
    return replace(
        plain,
        train=tuple(row for row in plain.train if part(row) == "support"),
        validation=tuple(row for row in plain.validation if part(row) == "support"),
        test=_some(data, kept),
    )


def _with_seen_person(data: PairData, plain: PeopleSplit, seed: int) -> PeopleSplit:
    """Half of each test person's groups of pairs are learned from, and shown; half are asked."""
    parted = {user: _halved(rows, data.disjoint, seed) for user, rows in plain.test.items()}
    learned = [
        replace(row, part="") for rows in parted.values() for row in rows if row.part == "support"
    ]
    kept = {u: rows for u, rows in parted.items() if any(row.part == "query" for row in rows)}
    return replace(plain, train=(*plain.train, *learned), test=_some(data, kept))


def _halved(
    rows: Sequence[PairRow], disjoint: Literal["texts", "prompts"], seed: int
) -> tuple[PairRow, ...]:
    found, _ = separate(rows, disjoint)
    rng = np.random.default_rng(stable_seed("halves", seed, rows[0].user))
    order = rng.permutation(len(found))
    asked = {index for group in order[: len(found) // 2] for index in found[group]}
    return tuple(
        replace(row, part="query" if index in asked else "support")
        for index, row in enumerate(rows)
    )


def _later(data: PairData, plain: PeopleSplit, _seed: int) -> PeopleSplit:
    """The last third of each person's pairs is asked; what came before is shown, newest first."""
    test: dict[str, tuple[PairRow, ...]] = {}
    for user, rows in plain.test.items():
        dated = sorted((row for row in rows if row.at is not None), key=lambda row: str(row.at))
        asked = min(max(1, len(dated) // 3), MOST_QUERIES)
        if len(dated) < 2 or dated[0].at == dated[-1].at:
            continue
        shown = [replace(row, part="support") for row in reversed(dated[:-asked])]
        test[user] = (*shown, *(replace(row, part="query") for row in dated[-asked:]))
    if not test:
        raise InputError(
            f"{data.name} does not say when", hint="choose another data set or split", field="split"
        )
    return replace(plain, test=test, in_order=True)


def _tested(data: PairData, plain: PeopleSplit, keep: Callable[[PairRow], bool]) -> PeopleSplit:
    test = {user: tuple(filter(keep, rows)) for user, rows in plain.test.items()}
    return replace(plain, test=_some(data, {user: rows for user, rows in test.items() if rows}))


def _some(
    data: PairData, test: Mapping[str, tuple[PairRow, ...]]
) -> Mapping[str, tuple[PairRow, ...]]:
    if not test:
        raise InputError(
            f"{data.name}: nobody is left to test", hint="choose another split", field="split"
        )
    return test


_DIVIDED: Mapping[Split, Callable[[PairData, PeopleSplit, int], PeopleSplit]] = {
    "unseen-person": _whole,
    "unseen-group": _whole,
    "seen-text": _with_seen_text,
    "unseen-text": _with_unseen_text,
    "seen-person": _with_seen_person,
    "later": _later,
}


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
    rows: Sequence[PairRow],
    groups: Sequence[Sequence[int]],
    most_shots: int,
    seed: int,
    *,
    in_order: bool = False,
) -> Draw:
    """One division of a test person's pairs.

    Whole groups go to one side. The query gets what the most shots leave, at least a third of the
    pairs and at most 20.

    Args:
        rows: The person's pairs.
        groups: Indices of pairs that must stay together, as `groups_of` finds them.
        most_shots: The most support that will be asked for.
        seed: Same seed, same draw.
        in_order: Whether support that the rows name is shown in their order.
    """
    rng = np.random.default_rng(seed)
    if any(row.part for row in rows):
        given = [row for row in rows if row.part == "support"]
        order = np.arange(len(given)) if in_order else rng.permutation(len(given))
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
