"""LLMFAO: crowd workers compare two models' answers to one prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.datasets.search import digest, find_files, read_csv, read_jsonl
from befit.evaluate.schema import PairData, PairRow, people_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Llmfao:
    """The answer the worker called better is chosen; what they called equal is a tie.

    Each pair says where its chosen answer was shown, left or right, and which models wrote the two:
    some workers lean to a side. Two equal or empty answers make neither a pair nor a tie. There are
    few prompts, so support and query of a person never share one.

    Source: Ustalov, LLMFAO, 2023, CC BY 4.0.

    Attributes:
        pairs_per_person: At most this many pairs, and as many ties, of one worker, drawn by a
            stable hash.
    """

    pairs_per_person: int = 80

    def load(self, seed: int) -> PairData:
        """Read judgements and answers.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("llmfao", ("crowd-comparisons.csv", "pairs-crowd.jsonl.gz"))
        answers = {str(row["id"]): row for row in read_jsonl(paths[1])}
        rows: list[PairRow] = []
        ties: list[PairRow] = []
        judged = undecided = 0
        for judgement in read_csv(paths[0]):
            pair = answers.get(judgement["id"])
            if pair is None:
                continue
            judged += 1
            row = _row(judgement, pair)
            if row is None or judgement["winner"] == "tie":
                undecided += 1
            if row is not None:
                (ties if judgement["winner"] == "tie" else rows).append(row)
        return PairData(
            name="llmfao",
            rows=self._some(rows, seed),
            ties=self._some(ties, seed),
            licence="CC BY 4.0, judgements by Dmitry Ustalov, answers by llmonitor.com",
            digest=digest(paths),
            rule="the better answer beats the other; what was called equal is a tie; at most "
            f"{self.pairs_per_person} pairs and as many ties a worker",
            shared_items=True,
            disjoint="prompts",
            notes={
                "person": "a crowd worker",
                "judgements": judged,
                "share_of_ties": round(undecided / max(judged, 1), 4),
            },
        )

    def _some(self, rows: Sequence[PairRow], seed: int) -> tuple[PairRow, ...]:
        """At most so many of each worker, workers and pairs in a stable order."""
        return tuple(
            row
            for _, own in sorted(people_of(rows).items())
            for row in sorted(
                own, key=lambda r: stable_seed(seed, r.user, r.prompt, r.chosen, r.rejected)
            )[: self.pairs_per_person]
        )


def _row(judgement: Mapping[str, str], pair: Mapping[str, Any]) -> PairRow | None:
    """The judged pair, of a tie the left one first; None where the texts do not differ."""
    texts = {"left": str(pair["result_x"]).strip(), "right": str(pair["result_y"]).strip()}
    if not all(texts.values()) or texts["left"] == texts["right"]:
        return None
    won, lost = ("right", "left") if judgement["winner"] == "right" else ("left", "right")
    return PairRow(
        user=judgement["worker"],
        prompt=str(pair["text"]),
        chosen=texts[won],
        rejected=texts[lost],
        attributes={
            "chosen_shown": won,
            "chosen_model": judgement[won],
            "rejected_model": judgement[lost],
        },
    )
