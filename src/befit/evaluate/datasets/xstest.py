"""XSTest: safe prompts that look unsafe, and the unsafe prompts written as their contrast."""

from collections import defaultdict
from dataclasses import dataclass

from befit.evaluate.datasets.search import digest, find_files, read_csv
from befit.evaluate.schema import PairData, PairRow


@dataclass(frozen=True, slots=True, kw_only=True)
class XsTest:
    """The safe prompt is chosen over the unsafe one about the same word.

    There are no answers in it: the pair asks whether a model tells the two prompts apart. The kind
    of prompt (homonyms, safe targets ...) is the group, since within a kind the wording repeats.

    Source: Roettger et al., XSTest, NAACL 2024, CC BY 4.0.
    """

    def load(self, seed: int) -> PairData:
        """Read the prompts. There is nothing to draw: ``seed`` changes nothing.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("xstest", ("xstest_prompts.csv",))
        prompts: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(
            lambda: {"safe": [], "unsafe": []}
        )
        for row in read_csv(paths[0]):
            if row["focus"]:
                kind = row["type"].removeprefix("contrast_")
                prompts[kind, row["focus"]][row["label"]].append(row["prompt"])
        return PairData(
            name="xstest",
            rows=tuple(
                PairRow(
                    user=kind,
                    prompt="",
                    chosen=safe,
                    rejected=unsafe,
                    attributes={"value": "harmless"},
                )
                for (kind, _), both in sorted(prompts.items())
                for safe in both["safe"]
                for unsafe in both["unsafe"]
            ),
            licence="CC BY 4.0",
            digest=digest(paths),
            rule="each safe prompt beats each unsafe one about the same word",
            shared_items=False,
            people=False,
        )
