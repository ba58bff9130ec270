"""Jester: people rate a hundred jokes from -10 to +10."""

from collections import defaultdict
from dataclasses import dataclass

from befit.evaluate.datasets.pairing import rule
from befit.evaluate.datasets.ratings import rows_of_ratings
from befit.evaluate.datasets.search import digest, find_files, read_csv, read_jsonl
from befit.evaluate.schema import PairData


@dataclass(frozen=True, slots=True, kw_only=True)
class Jester5k:
    """The joke rated clearly higher is chosen. Jokes are shared between people.

    Some jokes are offensive. Source: Goldberg et al., Eigentaste, Information Retrieval 4(2), 2001.

    Attributes:
        gap: Rating points that two jokes must be apart, of 20.
        pairs_per_person: At most this many pairs of one person.
        fewest_pairs: People with fewer are left out.
        most_people: At most this many people, drawn by a stable hash.
    """

    gap: float = 4.0
    pairs_per_person: int = 40
    fewest_pairs: int = 24
    most_people: int = 1500

    def load(self, seed: int) -> PairData:
        """Read ratings and jokes.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("jester5k", ("ratings.csv.gz", "jokes.jsonl"))
        ratings: dict[str, dict[str, float]] = defaultdict(dict)
        for row in read_csv(paths[0]):
            ratings[row["user"]][row["joke"]] = float(row["rating"])
        texts = {str(row["joke"]): str(row["text"]).strip() for row in read_jsonl(paths[1])}
        rows, notes = rows_of_ratings(ratings, texts, "Tell me a joke.", self, seed)
        return PairData(
            name="jester5k",
            rows=rows,
            licence="GPL-2 with citation, research use",
            digest=digest(paths),
            rule=rule(
                gap=self.gap,
                cap=self.pairs_per_person,
                least=self.fewest_pairs,
                people=self.most_people,
            ),
            shared_items=True,
            notes={"person": "a visitor who rated jokes", **notes},
        )
