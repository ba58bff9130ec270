"""People who rated or judged texts, from the ratings to the pairs; shared by the rating sets.

Reads no file.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from befit.evaluate.datasets.pairing import pairs_by_gap, some, stable_seed
from befit.evaluate.schema import PairRow


class Caps(Protocol):
    """The options that every rating data set has."""

    @property
    def gap(self) -> float: ...
    @property
    def pairs_per_person(self) -> int: ...
    @property
    def fewest_pairs(self) -> int: ...
    @property
    def most_people(self) -> int: ...


def rows_of_ratings(
    ratings: Mapping[str, Mapping[str, float]],
    texts: Mapping[str, str],
    prompts: Mapping[str, str] | str,
    caps: Caps,
    seed: int,
    *,
    times: Mapping[str, Mapping[str, datetime]] | None = None,
) -> tuple[tuple[PairRow, ...], dict[str, float | str]]:
    """The pairs of all people, and the counts worth telling.

    Args:
        ratings: Person -> item -> rating.
        texts: Item -> text; items without one are not used.
        prompts: The prompt of each person's pairs, or one for all.
        caps: Gap and caps.
        seed: Decides which items meet and which people are kept.
        times: Person -> item -> when it was rated; a pair is as old as its later rating.
    """
    pairs = {
        person: pairs_by_gap(
            {item: value for item, value in rated.items() if texts.get(item)},
            caps.gap,
            caps.pairs_per_person,
            stable_seed(seed, person),
        )
        for person, rated in ratings.items()
    }
    enough = [person for person, made in pairs.items() if len(made) >= caps.fewest_pairs]
    kept = some(enough, caps.most_people, seed)
    known = times or {}
    rows = tuple(
        PairRow(
            user=person,
            prompt=prompts if isinstance(prompts, str) else prompts[person],
            chosen=texts[chosen],
            rejected=texts[rejected],
            at=max(known[person][chosen], known[person][rejected]) if person in known else None,
        )
        for person in kept
        for chosen, rejected in pairs[person]
    )
    return rows, {
        "people_in_source": len(ratings),
        "people_with_enough_pairs": len(enough),
        "people_kept": len(kept),
        "pairs": len(rows),
    }
