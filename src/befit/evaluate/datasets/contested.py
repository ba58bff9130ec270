"""On which pairs a population splits: there a person matters, elsewhere the crowd may be enough.

Learned from the votes of the people learned from alone. A text that too few of them met is in
neither set, nor is any text of a data set in which no two people meet the same.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from befit.evaluate.schema import PairData

LOW, HIGH = 0.35, 0.65
FEWEST_VOTES = 10

RULE = (
    f"a text is contested where, of at least {FEWEST_VOTES} people learned from who compared it, "
    f"between {LOW:.0%} and {HIGH:.0%} preferred it; a pair is contested where both its texts are"
)


@dataclass(frozen=True, slots=True)
class Contest:
    """Pairs of a data set, by where they stand in it.

    Attributes:
        contested: Both texts split the population.
        agreed: Enough people met both texts, and at least one of them does not split it.
    """

    contested: frozenset[int]
    agreed: frozenset[int]


def contest(
    data: PairData, people: Collection[str], *, fewest_votes: int = FEWEST_VOTES
) -> Contest:
    """Divide the pairs of everyone by the votes of some.

    Args:
        data: The data set.
        people: Those whose votes count: the people learned from, never those tested.
        fewest_votes: How many of them must have compared a text, at least 1.
    """
    share = shares(data, people, fewest_votes=fewest_votes)
    split = {text for text, value in share.items() if LOW <= value <= HIGH}
    known = {
        number: {row.chosen, row.rejected}
        for number, row in enumerate(data.rows)
        if row.chosen in share and row.rejected in share
    }
    contested = frozenset(number for number, texts in known.items() if texts <= split)
    return Contest(contested=contested, agreed=frozenset(known) - contested)


def contested(
    data: PairData, people: Collection[str], *, fewest_votes: int = FEWEST_VOTES
) -> set[int]:
    """Indices of the rows whose two texts both split the population; see `contest`."""
    return set(contest(data, people, fewest_votes=fewest_votes).contested)


def shares(
    data: PairData, people: Collection[str], *, fewest_votes: int = FEWEST_VOTES
) -> Mapping[str, float]:
    """Text -> share, from 0 to 1, of the people who preferred it, where enough compared it.

    A person has one vote on a text, divided where they took it one time and left it another.

    Args:
        data: The data set.
        people: Those whose votes count.
        fewest_votes: How many of them must have compared a text, at least 1.
    """
    voters = frozenset(people)
    taken: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row in data.rows:
        if row.user in voters:
            taken[row.chosen][row.user].append(True)
            taken[row.rejected][row.user].append(False)
    return {
        text: sum(sum(own) / len(own) for own in votes.values()) / len(votes)
        for text, votes in taken.items()
        if len(votes) >= fewest_votes
    }
