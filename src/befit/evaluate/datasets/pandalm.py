"""PandaLM test set: the same three people compare two models' answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from befit.evaluate.datasets.search import digest, find_files, read_jsonl
from befit.evaluate.schema import PairData, PairRow

_ANNOTATORS = ("annotator1", "annotator2", "annotator3")
_WINNERS = {1: ("response1", "response2"), 2: ("response2", "response1")}  # 0 is a tie


@dataclass(frozen=True, slots=True, kw_only=True)
class PandaLm:
    """The answer that the annotator called better is chosen; what they called equal is a tie.

    All three judged every pair, and mostly agree. Three people are too few to prove that a person
    is learned; a figure on them is a second check. Support and query share no prompt.

    Source: Wang et al., PandaLM, ICLR 2024, Apache-2.0.
    """

    def load(self, seed: int) -> PairData:
        """Read the judgements. There is nothing to draw: ``seed`` changes nothing.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("pandalm-testset", ("testset-v1.jsonl",))
        judged = list(read_jsonl(paths[0]))
        rows: list[PairRow] = []
        ties: list[PairRow] = []
        for annotator in _ANNOTATORS:
            for item in judged:
                row = _row(annotator, item)
                if row.chosen and row.rejected and row.chosen != row.rejected:
                    (rows if item[annotator] in _WINNERS else ties).append(row)
        differ = sum(len({item[annotator] for annotator in _ANNOTATORS}) > 1 for item in judged)
        return PairData(
            name="pandalm",
            rows=tuple(rows),
            ties=tuple(ties),
            licence="Apache-2.0",
            digest=digest(paths),
            rule="the better answer beats the other; what was called equal is a tie; all are used",
            shared_items=True,
            disjoint="prompts",
            notes={
                "person": "one of three annotators",
                "share_of_items_judged_differently": round(differ / max(len(judged), 1), 4),
            },
        )


def _row(annotator: str, item: Mapping[str, Any]) -> PairRow:
    """The judged pair, of a tie the first answer first."""
    won, lost = _WINNERS.get(item[annotator], ("response1", "response2"))
    return PairRow(
        user=annotator,
        prompt=f"{item['instruction']}\n\n{item['input'] or ''}".strip(),
        chosen=str(item[won]).strip(),
        rejected=str(item[lost]).strip(),
        attributes={"chosen_shown": won.removeprefix("response")},
    )
