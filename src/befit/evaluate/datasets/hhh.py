"""HHH alignment: hand-written comparisons for helpful, honest and harmless answers."""

from dataclasses import dataclass

from befit.evaluate.datasets.search import digest, find_files, read_jsonl
from befit.evaluate.schema import PairData, PairRow


@dataclass(frozen=True, slots=True, kw_only=True)
class HhhAlignment:
    """The better answer is chosen; each instruction is a group of its own.

    Source: Askell et al., A General Language Assistant as a Laboratory for Alignment, 2021.
    """

    def load(self, seed: int) -> PairData:
        """Read the comparisons. There is nothing to draw: ``seed`` changes nothing.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("hhh-alignment", ("hhh_alignment.jsonl",))
        return PairData(
            name="hhh-alignment",
            rows=tuple(
                PairRow(
                    user=row["instruction"],
                    prompt=row["instruction"],
                    chosen=row["chosen"],
                    rejected=row["rejected"],
                    attributes={"value": row["source"]},
                )
                for row in read_jsonl(paths[0])
            ),
            licence="Apache-2.0",
            digest=digest(paths),
            rule="the preferred answer beats the other",
            shared_items=False,
            people=False,
        )
