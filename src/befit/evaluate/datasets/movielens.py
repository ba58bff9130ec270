"""MovieLens (small): people rate films with half a star to five."""

from collections import defaultdict
from dataclasses import dataclass

from befit.evaluate.datasets.pairing import rule
from befit.evaluate.datasets.ratings import rows_of_ratings
from befit.evaluate.datasets.search import digest, find_files, read_csv
from befit.evaluate.schema import PairData


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieLens:
    """The film rated clearly higher is chosen; its text is the title and the genres.

    Films are shared between people. Non-commercial use only.

    Source: Harper and Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015.

    Attributes:
        gap: Stars that two films must be apart.
        pairs_per_person: At most this many pairs of one person.
        fewest_pairs: People with fewer are left out.
        most_people: At most this many people, drawn by a stable hash.
    """

    gap: float = 1.5
    pairs_per_person: int = 40
    fewest_pairs: int = 24
    most_people: int = 1500

    def load(self, seed: int) -> PairData:
        """Read ratings and films.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("movielens-small", ("ratings.csv.gz", "movies.csv.gz"))
        ratings: dict[str, dict[str, float]] = defaultdict(dict)
        for row in read_csv(paths[0]):
            ratings[row["userId"]][row["movieId"]] = float(row["rating"])
        texts = {
            row["movieId"]: f"{row['title'].strip()}: {row['genres'].replace('|', ', ')}"
            for row in read_csv(paths[1])
        }
        rows, notes = rows_of_ratings(ratings, texts, "Which film should I watch?", self, seed)
        return PairData(
            name="movielens-small",
            rows=rows,
            licence="GroupLens usage licence, non-commercial",
            digest=digest(paths),
            rule=rule(
                gap=self.gap,
                cap=self.pairs_per_person,
                least=self.fewest_pairs,
                people=self.most_people,
            ),
            shared_items=True,
            notes=notes,
        )
