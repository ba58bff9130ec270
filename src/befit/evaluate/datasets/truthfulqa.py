"""TruthfulQA: questions that some people answer falsely, with true and false answers."""

from dataclasses import dataclass

from befit.evaluate.datasets.search import digest, find_files, read_csv
from befit.evaluate.schema import PairData, PairRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthfulQa:
    """The best answer is chosen over each false one; each question is a group.

    Source: Lin, Hilton, Evans, TruthfulQA, ACL 2022, Apache-2.0.
    """

    def load(self, seed: int) -> PairData:
        """Read the questions. There is nothing to draw: ``seed`` changes nothing.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("truthfulqa", ("TruthfulQA.csv",))
        return PairData(
            name="truthfulqa",
            rows=tuple(
                PairRow(
                    user=row["Question"],
                    prompt=row["Question"],
                    chosen=row["Best Answer"].strip(),
                    rejected=wrong.strip(),
                    attributes={"value": "honest", "category": row["Category"]},
                )
                for row in read_csv(paths[0])
                for wrong in row["Incorrect Answers"].split(";")
                if wrong.strip()
            ),
            licence="Apache-2.0",
            digest=digest(paths),
            rule="the best answer beats each incorrect one",
            shared_items=False,
            people=False,
        )
