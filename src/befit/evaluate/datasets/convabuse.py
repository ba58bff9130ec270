"""ConvAbuse: annotators judge how abusive a user was towards a conversational agent."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from befit.evaluate.datasets.pairing import rule
from befit.evaluate.datasets.ratings import rows_of_ratings
from befit.evaluate.datasets.search import digest, find_files, read_csv
from befit.evaluate.schema import PairData

_MARK = "is_abuse."  # then 1 not abusive, 0 ambiguous, -1 mild, -2 strong, -3 very strong


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvAbuse:
    """What the annotator called more abusive is chosen over what the same annotator called less so.

    A judgement, not a wish: "preferred" means "called abusive". With a gap of two, a turn called
    abusive beats one called harmless, and a strong case beats an ambiguous one. Few annotators with
    hundreds of pairs each: what sets them apart is strictness, which two turns of one
    annotator hide. Contains abuse.

    Source: Cercas Curry, Abercrombie, Rieser, ConvAbuse, EMNLP 2021.

    Attributes:
        gap: Steps of the five-step scale that two turns must be apart.
        pairs_per_person: At most this many pairs of one annotator.
        fewest_pairs: Annotators with fewer are left out.
        most_people: At most this many annotators, drawn by a stable hash.
    """

    gap: float = 2.0
    pairs_per_person: int = 240
    fewest_pairs: int = 24
    most_people: int = 1500

    def load(self, seed: int) -> PairData:
        """Read judgements and turns.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("convabuse", ("ratings.csv.gz",))
        judged: dict[str, dict[str, float]] = defaultdict(dict)
        for row in read_csv(paths[0]):
            # one turn can stand in several conversations; the first judgement counts
            judged[row["annotator_id"]].setdefault(_text(row), _severity(row))
        same = {text: text for own in judged.values() for text in own}
        prompt = "In which of the two is the user abusive?"
        rows, notes = rows_of_ratings(judged, same, prompt, self, seed)
        return PairData(
            name="convabuse",
            rows=rows,
            licence="CC BY 4.0",
            digest=digest(paths),
            rule="called more abusive beats called less abusive, within one annotator; "
            + rule(
                gap=self.gap,
                cap=self.pairs_per_person,
                least=self.fewest_pairs,
                people=self.most_people,
            ),
            shared_items=True,
            notes={"person": "an annotator", **notes},
        )


def _severity(row: Mapping[str, str]) -> float:
    """From -1, not abusive, to 3, very strongly."""
    return next(-float(name.removeprefix(_MARK)) for name in row if _marked(name, row[name]))


def _marked(name: str, value: str) -> bool:
    return name.startswith(_MARK) and value == "1"


def _text(row: Mapping[str, str]) -> str:
    """The exchange as it went: the turn before, where there is one, and the judged one."""
    spoken = (
        ("Agent", row["prev_agent"]),
        ("User", row["prev_user"]),
        ("Agent", row["agent"]),
        ("User", row["user"]),
    )
    return "\n".join(f"{who}: {words.strip()}" for who, words in spoken if words.strip())
