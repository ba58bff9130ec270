"""Runs one peer for `befit.evaluate.memory.peers`: an order a line in, an answer a line out.

Executed by the Python of the peers' environment, where befit is not installed; so it imports
nothing of befit, and what it measures only when asked to. Both peers keep texts as they are given:
extraction by a language model is switched off, and vectors come with the texts.
"""

import array
import base64
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

WIDTH = 384
GENERAL = "general"  # the name of the scope that is none; filters refuse empty strings
LOOKED_AT = 10  # best matches of a subject among which those that name it are deleted

Vectors = dict[str, list[float]]


class Store(Protocol):
    """What both peers can do."""

    def add(self, user: str, number: str, text: str, scope: str) -> None: ...
    def search(self, user: str, text: str, k: int, scope: str) -> list[tuple[str, str]]:
        """Ids and texts, best first."""
        ...

    def delete(self, user: str, number: str, scope: str) -> None: ...
    def scopes(self, user: str) -> Sequence[str]: ...


class Mem0:
    """mem0, with its default vector engine held in memory."""

    def __init__(self, vectors: Vectors, folder: Path) -> None:
        os.environ.update(
            MEM0_TELEMETRY="False", MEM0_DIR=str(folder / "mem0"), ANONYMIZED_TELEMETRY="False"
        )
        embeddings = import_module("langchain_core.embeddings").Embeddings
        client = import_module("qdrant_client").QdrantClient(":memory:")

        class Given(embeddings):  # type: ignore[misc, valid-type]
            """Looks vectors up."""

            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [vectors[text] for text in texts]

            def embed_query(self, text: str) -> list[float]:
                return vectors[text]

        self.memory = import_module("mem0").Memory.from_config(
            {
                "vector_store": {
                    "provider": "qdrant",
                    "config": {
                        "client": client,
                        "collection_name": "memories",
                        "embedding_model_dims": WIDTH,
                    },
                },
                "embedder": {"provider": "langchain", "config": {"model": Given()}},
                "llm": {"provider": "openai", "config": {"api_key": "none"}},  # never called
                "history_db_path": ":memory:",  # a disk would only slow it
            }
        )
        self.known: dict[str, set[str]] = {}

    def add(self, user: str, number: str, text: str, scope: str) -> None:
        self.known.setdefault(user, set()).add(scope)
        metadata = {"scope": scope, "number": number}
        self.memory.add(text, user_id=user, metadata=metadata, infer=False)

    def search(self, user: str, text: str, k: int, scope: str) -> list[tuple[str, str]]:
        filters = {"user_id": user, "scope": scope}
        found = self.memory.search(text, filters=filters, top_k=k, threshold=0.0)
        return [(each["id"], each["memory"]) for each in found["results"]]

    def delete(self, user: str, number: str, scope: str) -> None:
        del user, scope
        self.memory.delete(number)

    def scopes(self, user: str) -> Sequence[str]:
        return sorted(self.known.get(user, ()))


class LangGraph:
    """LangGraph's store, in memory: a namespace for each person and scope."""

    def __init__(self, vectors: Vectors) -> None:
        make = import_module("langgraph.store.memory").InMemoryStore
        self.store = make(
            index={
                "dims": WIDTH,
                "embed": lambda texts: [vectors[text] for text in texts],
                "fields": ["text"],
            }
        )
        self.known: dict[str, set[str]] = {}

    def add(self, user: str, number: str, text: str, scope: str) -> None:
        self.known.setdefault(user, set()).add(scope)
        self.store.put((user, scope), number, {"text": text})

    def search(self, user: str, text: str, k: int, scope: str) -> list[tuple[str, str]]:
        found = self.store.search((user, scope), query=text, limit=k)
        return [(each.key, each.value["text"]) for each in found]

    def delete(self, user: str, number: str, scope: str) -> None:
        self.store.delete((user, scope), number)

    def scopes(self, user: str) -> Sequence[str]:
        return sorted(self.known.get(user, ()))


def main() -> None:
    """Answer until the orders end."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    answers, sys.stdout = sys.stdout, sys.stderr  # peers print; only answers go to the parent
    vectors: Vectors = {}
    store: Store = Mem0(vectors, folder) if kind == "mem0" else LangGraph(vectors)
    for line in sys.stdin:
        order = json.loads(line)
        for each in (order, *order.get("turns", ())):
            if "vector" in each:
                vectors[each["text"]] = list(array.array("f", base64.b64decode(each["vector"])))
        answers.write(json.dumps(_answer(store, order)) + "\n")
        answers.flush()


def _answer(store: Store, order: dict[str, Any]) -> dict[str, Any]:
    match order["do"]:
        case "remember":
            for turn in order["turns"]:
                store.add(order["user"], turn["id"], turn["text"], turn["scope"] or GENERAL)
            return {}
        case "recall":
            return {"texts": _recall(store, order)}
        case "forget":
            return {"count": _forget(store, order["user"], order["text"])}
        case _:
            return {}


def _recall(store: Store, order: dict[str, Any]) -> list[str]:
    texts: list[str] = []
    for scope in order["scopes"]:
        left = order["k"] - len(texts)
        if left > 0:
            found = store.search(order["user"], order["text"], left, scope or GENERAL)
            texts += [text for _, text in found]
    return texts


def _forget(store: Store, user: str, about: str) -> int:
    """Neither deletes by subject: an application searches, and deletes what names it."""
    count = 0
    for scope in store.scopes(user):
        for number, text in store.search(user, about, LOOKED_AT, scope):
            if about.casefold() in text.casefold():
                store.delete(user, number, scope)
                count += 1
    return count


if __name__ == "__main__":
    main()
