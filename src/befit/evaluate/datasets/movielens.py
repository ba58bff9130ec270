"""MovieLens (small): people rate films with half a star to five."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from befit.evaluate.datasets.pairing import rule
from befit.evaluate.datasets.ratings import rows_of_ratings
from befit.evaluate.datasets.search import digest, find_files, read_csv
from befit.evaluate.schema import PairData, PairRow

MOST_TAGS = 5  # of one film; a few films have dozens, of one person


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieLens:
    """The film rated clearly higher is chosen; its text is title, genres and free tags.

    A tag is shown only where nobody who gave it to the film has a pair with that film here, so that
    no text holds the judgement that it is to predict. A pair is as old as the later of its ratings.
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
        """Read ratings, films and tags.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("movielens-small", ("ratings.csv.gz", "movies.csv.gz", "tags.csv"))
        ratings: dict[str, dict[str, float]] = defaultdict(dict)
        times: dict[str, dict[str, datetime]] = defaultdict(dict)
        for row in read_csv(paths[0]):
            ratings[row["userId"]][row["movieId"]] = float(row["rating"])
            at = datetime.fromtimestamp(int(row["timestamp"]), UTC)
            times[row["userId"]][row["movieId"]] = at
        texts = {
            row["movieId"]: f"{row['title'].strip()}: {row['genres'].replace('|', ', ')}"
            for row in read_csv(paths[1])
        }
        prompt = "Which film should I watch?"
        rows, notes = rows_of_ratings(ratings, texts, prompt, self, seed, times=times)
        rows, tagged = _with_tags(rows, texts, read_csv(paths[2]))
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
            notes={"person": "a member of a film site", "films_with_tags": tagged, **notes},
        )


def _with_tags(
    rows: Sequence[PairRow], texts: Mapping[str, str], tags: Iterable[Mapping[str, str]]
) -> tuple[tuple[PairRow, ...], int]:
    """The pairs with tags in their texts, and how many films got any."""
    shown = {(row.user, text) for row in rows for text in (row.chosen, row.rejected)}
    given: dict[str, dict[str, bool]] = defaultdict(dict)  # film -> tag -> tells of nobody's pair
    for tag in tags:
        film, word = texts.get(tag["movieId"], ""), tag["tag"].strip().lower()
        harmless = given[film].get(word, True)
        given[film][word] = harmless and (tag["userId"], film) not in shown
    words = {film: sorted(w for w in of if of[w])[:MOST_TAGS] for film, of in given.items()}
    tagged = {film: f"{film}; {', '.join(own)}" for film, own in words.items() if own}
    return tuple(
        replace(
            row,
            chosen=tagged.get(row.chosen, row.chosen),
            rejected=tagged.get(row.rejected, row.rejected),
        )
        for row in rows
    ), len(tagged.keys() & {text for _, text in shown})
