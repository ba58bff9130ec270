"""LLMFAO: crowd workers compare two models' answers to one prompt."""

from dataclasses import dataclass

from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.datasets.search import digest, find_files, read_csv, read_jsonl
from befit.evaluate.schema import PairData, PairRow, people_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Llmfao:
    """The answer the worker called better is chosen; ties are dropped and their share is told.

    There are few prompts, so support and query of a person never share one.

    Source: Ustalov, LLMFAO, 2023, CC BY 4.0.

    Attributes:
        pairs_per_person: At most this many pairs of one worker, drawn by a stable hash.
    """

    pairs_per_person: int = 80

    def load(self, seed: int) -> PairData:
        """Read judgements and answers.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("llmfao", ("crowd-comparisons.csv", "pairs-crowd.jsonl.gz"))
        answers = {str(row["id"]): row for row in read_jsonl(paths[1])}
        rows, judged, ties = [], 0, 0
        for judgement in read_csv(paths[0]):
            pair = answers.get(judgement["id"])
            if pair is None:
                continue
            judged += 1
            left, right = str(pair["result_x"]).strip(), str(pair["result_y"]).strip()
            if judgement["winner"] == "tie" or not left or not right or left == right:
                ties += 1
                continue
            won, lost = (left, right) if judgement["winner"] == "left" else (right, left)
            rows.append(
                PairRow(
                    user=judgement["worker"], prompt=str(pair["text"]), chosen=won, rejected=lost
                )
            )
        return PairData(
            name="llmfao",
            rows=tuple(
                row
                for _, own in sorted(people_of(rows).items())
                for row in sorted(
                    own, key=lambda r: stable_seed(seed, r.user, r.prompt, r.chosen, r.rejected)
                )[: self.pairs_per_person]
            ),
            licence="CC BY 4.0, judgements by Dmitry Ustalov, answers by llmonitor.com",
            digest=digest(paths),
            rule=f"the better answer beats the other; ties dropped; at most "
            f"{self.pairs_per_person} pairs a worker",
            shared_items=True,
            disjoint="prompts",
            notes={"judgements": judged, "share_of_ties": round(ties / max(judged, 1), 4)},
        )
