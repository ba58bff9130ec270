"""MultiPICo: people judge whether a reply to a post is ironic, and said who they are."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from befit.evaluate.datasets.pairing import rule
from befit.evaluate.datasets.ratings import rows_of_ratings
from befit.evaluate.datasets.search import digest, find_files, read_csv, read_jsonl
from befit.evaluate.schema import PairData

_COLUMNS = {
    "Gender": "gender",
    "Ethnicity simplified": "ethnicity",
    "Country of birth": "born_in",
    "Country of residence": "lives_in",
    "Nationality": "nationality",
    "Student status": "student",
    "Employment status": "employment",
}
_UNKNOWN = frozenset({"", "nan", "DATA_EXPIRED", "CONSENT_REVOKED", "Prefer not to say"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiPico:
    """What the annotator called ironic is chosen over what the same annotator did not.

    A judgement, not a wish: "preferred" means "called ironic". Each person judged one language.
    Texts are shared between people. Known of a person is what they said of themselves, age by the
    decade; what they withdrew is left out.

    Source: Casola et al., MultiPICo, ACL 2024; dev and test parts of LeWiDi 2025.

    Attributes:
        gap: Ironic is 1 and not ironic 0, so 1.
        pairs_per_person: At most this many pairs of one person.
        fewest_pairs: People with fewer are left out.
        most_people: At most this many people, drawn by a stable hash.
    """

    gap: float = 1.0
    pairs_per_person: int = 40
    fewest_pairs: int = 24
    most_people: int = 1500

    def load(self, seed: int) -> PairData:
        """Read judgements, items and annotators.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("multipico", ("annotations.csv.gz", "items.jsonl.gz", "annotators.csv"))
        texts = {
            str(row["item"]): f"{str(row['post']).strip()}\nReply: {str(row['reply']).strip()}"
            for row in read_jsonl(paths[1])
        }
        judged: dict[str, dict[str, float]] = defaultdict(dict)  # by text: a few items share one
        languages: dict[str, str] = {}
        for row in read_csv(paths[0]):
            if row["item"] in texts:
                judged[row["annotator"]].setdefault(texts[row["item"]], float(row["ironic"]))
                languages[row["annotator"]] = row["lang"]
        same = {text: text for text in texts.values()}
        rows, notes = rows_of_ratings(judged, same, "Which reply is ironic?", self, seed)
        kept = {row.user for row in rows}
        return PairData(
            name="multipico",
            rows=rows,
            licence="CC BY 4.0",
            digest=digest(paths),
            rule="called ironic beats not called ironic, within one annotator; "
            + rule(
                gap=self.gap,
                cap=self.pairs_per_person,
                least=self.fewest_pairs,
                people=self.most_people,
            ),
            shared_items=True,
            notes={"person": "an annotator", **notes},
            about={
                row["annotator"]: _about(row, languages[row["annotator"]])
                for row in read_csv(paths[2])
                if row["annotator"] in kept
            },
        )


def _about(row: Mapping[str, str], language: str) -> dict[str, str]:
    """What the annotator said, as far as it still stands."""
    known = {name: row[column] for column, name in _COLUMNS.items() if row[column] not in _UNKNOWN}
    if row["Age"] not in _UNKNOWN:
        decade = int(float(row["Age"])) // 10 * 10
        known["age"] = f"{decade}-{decade + 9}"
    return {"language": language, **known}
