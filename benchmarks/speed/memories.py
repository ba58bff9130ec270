"""mem0 and LangGraph's stores, run by the peers' own Python: ``python memories.py KIND FOLDER``.

Each line on standard input is an order (JSON), each line on standard output its answer. Vectors are
given; no language model is called. CPU is that of this process. Knows nothing of befit.

mem0's own filling writes each memory to a history and its index one by one, most of an hour for the
larger sizes, so the vector store is filled in batches, in the form that ``add`` gives its rows;
searches go through mem0.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any, Protocol
from uuid import UUID

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from speed.words import WIDTH, HashedWords, name_of, prompt_of, texts_of

BATCH = 500
ITEMS = 10
ENCODER = HashedWords()


class Store(Protocol):
    """What each peer can do."""

    def fill(self, rows: Sequence[tuple[str, int, str]]) -> None: ...
    def search(self, user: str, text: str) -> list[str]: ...
    def erase(self, user: str) -> None: ...


class LangGraph:
    """One namespace a person."""

    def __init__(self, folder: Path, *, sqlite: bool) -> None:
        index = {"dims": WIDTH, "embed": _vectors, "fields": ["text"]}
        if sqlite:
            # this Python's own sqlite3 may not load extensions
            sys.modules["sqlite3"] = import_module("pysqlite3")
            made = import_module("langgraph.store.sqlite").SqliteStore
            self.held = made.from_conn_string(str(folder / "store.db"), index=index)
            self.store = self.held.__enter__()
            self.store.setup()
        else:
            self.store = import_module("langgraph.store.memory").InMemoryStore(index=index)
        self.put = import_module("langgraph.store.base").PutOp

    def fill(self, rows: Sequence[tuple[str, int, str]]) -> None:
        for start in range(0, len(rows), ITEMS):  # no text may be twice in one of its batches
            own = rows[start : start + ITEMS]
            self.store.batch([self.put((user,), str(n), {"text": text}) for user, n, text in own])

    def search(self, user: str, text: str) -> list[str]:
        return [each.value["text"] for each in self.store.search((user,), query=text, limit=ITEMS)]

    def erase(self, user: str) -> None:
        for each in self.store.search((user,), limit=1000):
            self.store.delete((user,), each.key)


class Mem0:
    """mem0 with Chroma, or with the store it has when nothing is set: Qdrant in local files."""

    def __init__(self, folder: Path, *, chroma: bool) -> None:
        os.environ.update(
            MEM0_TELEMETRY="False", MEM0_DIR=str(folder / "mem0"), ANONYMIZED_TELEMETRY="False"
        )

        class Given(import_module("langchain_core.embeddings").Embeddings):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return _vectors(texts)

            def embed_query(self, text: str) -> list[float]:
                return _vectors([text])[0]

        config: dict[str, Any] = {"collection_name": "memories", "path": str(folder / "vectors")}
        if not chroma:
            config |= {"embedding_model_dims": WIDTH, "on_disk": True}
        self.memory = import_module("mem0").Memory.from_config(
            {
                "vector_store": {"provider": "chroma" if chroma else "qdrant", "config": config},
                "embedder": {"provider": "langchain", "config": {"model": Given()}},
                "llm": {"provider": "openai", "config": {"api_key": "none"}},
                "history_db_path": str(folder / "history.db"),
            }
        )

    def fill(self, rows: Sequence[tuple[str, int, str]]) -> None:
        now = datetime.now(UTC).isoformat()
        self.memory.vector_store.insert(
            vectors=_vectors([text for _, _, text in rows]),
            ids=[str(UUID(int=int(user.rpartition("-")[2]) * 1000 + n)) for user, n, _ in rows],
            payloads=[
                {"data": text, "user_id": user, "hash": text[:32], "created_at": now}
                for user, _, text in rows
            ],
        )

    def search(self, user: str, text: str) -> list[str]:
        filters = {"user_id": user}
        found = self.memory.search(text, filters=filters, top_k=ITEMS, threshold=0.0)
        return [each["memory"] for each in found["results"]]

    def erase(self, user: str) -> None:
        self.memory.delete_all(user_id=user)


def _vectors(texts: Sequence[str]) -> list[list[float]]:
    known = [ENCODER.known.get(text) for text in texts]
    if all(vector is not None for vector in known):
        return [vector.tolist() for vector in known if vector is not None]
    return ENCODER.encode(texts).tolist()


def open_store(kind: str, folder: Path) -> Store:
    match kind:
        case "langgraph-memory" | "langgraph-sqlite":
            return LangGraph(folder, sqlite=kind.endswith("sqlite"))
        case _:
            return Mem0(folder, chroma=kind == "mem0-chroma")


def load(store: Store, people: int) -> dict[str, Any]:
    for batch in _batches(people):
        store.fill(batch)
    return {"rss_mb": psutil.Process().memory_info().rss / 1e6}


def _batches(people: int) -> Iterator[list[tuple[str, int, str]]]:
    batch = []
    for person in range(people):
        batch += [(name_of(person), n, text) for n, text in enumerate(texts_of(person, ITEMS))]
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def query(store: Store, people: Sequence[int]) -> dict[str, Any]:
    """CPU of a search, microseconds, and how many of a person's ten items it gave."""
    prompts = [prompt_of(person) for person in people]
    ENCODER.known.update(zip(prompts, ENCODER.encode(prompts), strict=True))
    began = process_time()
    found = [store.search(name_of(p), text) for p, text in zip(people, prompts, strict=True)]
    spent = process_time() - began
    ENCODER.known.clear()
    hits = [
        len(set(texts) & set(texts_of(p, ITEMS))) for p, texts in zip(people, found, strict=True)
    ]
    return {"us": 1e6 * spent / len(people), "hits": sum(hits) / len(hits)}


def erase(store: Store, people: Sequence[int]) -> dict[str, Any]:
    began = process_time()
    for person in people:
        store.erase(name_of(person))
    return {"ms": 1e3 * (process_time() - began) / len(people)}


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    store = open_store(sys.argv[1], Path(sys.argv[2]))
    for line in sys.stdin:
        order = json.loads(line)
        does = {"load": load, "query": query, "erase": erase}[order.pop("do")]
        answers.write(json.dumps(does(store, **order)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
