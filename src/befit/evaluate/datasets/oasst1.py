"""OpenAssistant (OASST1, English validation part): ranked replies in conversation trees."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from befit.evaluate.datasets.search import digest, find_files, read_jsonl
from befit.evaluate.schema import PairData, PairRow

_SPEAKERS = {"prompter": "Human", "assistant": "Assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Oasst1:
    """The better-ranked reply is chosen over each worse-ranked one to the same message.

    A rank is what several volunteers agreed on, and none of them is named: there is nobody to learn
    from, so this measures the value "helpful". The tree of a conversation is the group.

    Source: Koepf et al., OpenAssistant Conversations, NeurIPS 2023, Apache-2.0.
    """

    def load(self, seed: int) -> PairData:
        """Read the trees. There is nothing to draw: ``seed`` changes nothing.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("oasst1-validation-en", ("messages.jsonl.gz",))
        messages = {str(row["message_id"]): row for row in read_jsonl(paths[0])}
        ranked: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for message in messages.values():
            parent = str(message["parent_id"])
            if message["role"] == "assistant" and message["rank"] is not None:
                ranked[parent].append(message)
        rows = []
        for parent, replies in sorted(ranked.items()):
            if parent not in messages:
                continue
            prompt = _conversation(messages, parent)
            replies.sort(key=lambda reply: int(reply["rank"]))
            for better, worse in combinations(replies, 2):
                chosen, rejected = better["text"].strip(), worse["text"].strip()
                if better["rank"] < worse["rank"] and chosen and rejected and chosen != rejected:
                    rows.append(
                        PairRow(
                            user=str(better["message_tree_id"]),
                            prompt=prompt,
                            chosen=chosen,
                            rejected=rejected,
                            attributes={"value": "helpful"},
                        )
                    )
        return PairData(
            name="oasst1",
            rows=tuple(sorted(rows, key=lambda row: row.user)),
            licence="Apache-2.0",
            digest=digest(paths),
            rule="the better-ranked reply beats each worse-ranked one to the same message",
            shared_items=False,
            disjoint="prompts",
            people=False,
        )


def _conversation(messages: Mapping[str, Mapping[str, Any]], last: str) -> str:
    """What was said up to and with a message; a lone first message as it stands."""
    path: list[Mapping[str, Any]] = []
    at: str | None = last
    while at is not None and at in messages:
        path.append(messages[at])
        at = messages[at]["parent_id"]
    if len(path) == 1:
        return str(path[0]["text"]).strip()
    return "\n\n".join(
        f"{_SPEAKERS[message['role']]}: {message['text'].strip()}" for message in reversed(path)
    )
