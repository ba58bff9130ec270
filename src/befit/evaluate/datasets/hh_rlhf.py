"""HH-RLHF: dialogues of which crowd workers preferred one, for being harmless or helpful."""

from dataclasses import dataclass

from befit.evaluate.datasets.search import digest, find_files, read_jsonl
from befit.evaluate.schema import PairData, PairRow

_TURN = "\n\nAssistant:"


@dataclass(frozen=True, slots=True, kw_only=True)
class HhRlhf:
    """The preferred last answer is chosen. No worker is known: groups are first turns.

    Contains harmful text. Source: Bai et al., Training a Helpful and Harmless Assistant, 2022.
    """

    def load(self, seed: int) -> PairData:
        """Read both files. There is nothing to draw: ``seed`` changes nothing.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("hh-rlhf", ("harmless-base-test.jsonl.gz", "helpful-test.jsonl.gz"))
        rows = []
        for path, value in zip(paths, ("harmless", "helpful"), strict=True):
            for pair in read_jsonl(path):
                prompt, _, chosen = str(pair["chosen"]).rpartition(_TURN)
                other, _, rejected = str(pair["rejected"]).rpartition(_TURN)
                if prompt != other or not chosen.strip() or not rejected.strip():
                    continue  # the dialogues part earlier than at the last answer
                rows.append(
                    PairRow(
                        user=prompt.partition(_TURN)[0].strip(),
                        prompt=prompt.strip(),
                        chosen=chosen.strip(),
                        rejected=rejected.strip(),
                        attributes={"value": value},
                    )
                )
        return PairData(
            name="hh-rlhf",
            rows=tuple(rows),
            licence="MIT; the helpful file CC BY-NC 4.0",
            digest=digest(paths),
            rule="the preferred last answer beats the other; pairs that part earlier are dropped",
            shared_items=False,
            people=False,
        )
