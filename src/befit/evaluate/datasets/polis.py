"""Polis: people vote on statements that other people wrote, in thirteen public consultations."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from befit.evaluate.datasets.pairing import rule
from befit.evaluate.datasets.ratings import rows_of_ratings
from befit.evaluate.datasets.search import digest, find_files, read_csv
from befit.evaluate.schema import PairData, PairRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Polis:
    """A statement the person agreed with is chosen over one they disagreed with.

    Both are of the same conversation; passes are not used. Statements are shared between people.
    What is known of a person is the conversation and the statements that they wrote themselves,
    less those in their own pairs: nobody votes against their own words.

    Source: The Computational Democracy Project, Open Polis data, CC BY 4.0.

    Attributes:
        gap: Agree is 1 and disagree -1, so 2.
        pairs_per_person: At most this many pairs of one person.
        fewest_pairs: People with fewer are left out.
        most_people: At most this many people, drawn by a stable hash.
    """

    gap: float = 2.0
    pairs_per_person: int = 40
    fewest_pairs: int = 24
    most_people: int = 1500

    def load(self, seed: int) -> PairData:
        """Read votes and statements.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("polis", ("votes.csv.gz", "comments.csv.gz"))
        votes: dict[str, dict[str, float]] = defaultdict(dict)
        prompts: dict[str, str] = {}
        for vote in read_csv(paths[0]):
            if vote["vote"] != "0":
                conversation = vote["conversation"]
                person = f"{conversation}/{vote['participant']}"
                prompts[person] = _topic(conversation)
                votes[person][f"{conversation}/{vote['comment_id']}"] = float(vote["vote"])
        statements = list(read_csv(paths[1]))
        texts = {
            f"{row['conversation']}/{row['comment_id']}": row["text"].strip() for row in statements
        }
        rows, notes = rows_of_ratings(votes, texts, prompts, self, seed)
        return PairData(
            name="polis",
            rows=rows,
            licence="CC BY 4.0, The Computational Democracy Project",
            digest=digest(paths),
            rule="agreed beats disagreed within a conversation, passes dropped; "
            + rule(
                gap=self.gap,
                cap=self.pairs_per_person,
                least=self.fewest_pairs,
                people=self.most_people,
            ),
            shared_items=True,
            notes={"person": "a participant of one consultation", **notes},
            about=_about(rows, statements),
        )


def _about(
    rows: Sequence[PairRow], statements: Iterable[Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Each person's conversation, and what they wrote that they are not asked about."""
    about = {row.user: {"conversation": row.user.rpartition("/")[0]} for row in rows}
    asked = {(row.user, text) for row in rows for text in (row.chosen, row.rejected)}
    for statement in statements:
        person, text = f"{statement['conversation']}/{statement['author']}", statement["text"]
        if person in about and (person, text.strip()) not in asked:
            wrote = about[person].get("wrote")
            about[person]["wrote"] = f"{wrote}\n{text.strip()}" if wrote else text.strip()
    return about


def _topic(conversation: str) -> str:
    """What the conversation is about, from its name in the source."""
    name = conversation.split(".")[1 if conversation.count(".") == 1 else 0]
    return f"What do you think about {name.replace('-', ' ')}?"
