"""The whole run on words alone, and a peer's process with a peer made of this file."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from befit.core.errors import InputError, UnknownComponentError
from befit.evaluate.memory import peers
from befit.evaluate.memory.methods import Turn
from befit.evaluate.memory.peers import MissingPeerError, Peer
from befit.evaluate.memory.run import SUITES, evaluate_memory
from befit.evaluate.schema import Result

AT = datetime(2026, 6, 1, tzinfo=UTC)
MADE_UP = tuple(name for name in SUITES if name not in {"prefeval", "relevance", "locomo"})


class Letters:
    """A text's vector is how often each letter is in it."""

    name = "letters"
    width = 26

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [[text.casefold().count(chr(97 + n)) for n in range(26)] for text in texts]
        counts = np.array(rows, dtype=np.float32) + 0.1
        made: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return made


def run(suites: Sequence[str], methods: Sequence[str], seeds: int = 1) -> Result:
    return evaluate_memory(
        suites,
        methods=methods,
        seeds=seeds,
        people=2,
        encoder=Letters(),  # type: ignore[arg-type]
        created=AT,
    )


def test_every_made_up_suite_runs_for_every_method_and_is_saved(tmp_path: Path) -> None:
    result = run(MADE_UP, ("befit", "bm25", "encoder"))
    path = tmp_path / "out.json"
    result.save(path)
    assert Result.load(path).rows == result.rows
    found = {(row.method, row.metric) for row in result.rows}
    for metric in (
        "update_accuracy", "conflict_accuracy", "scope_accuracy", "forget_honoured",
        "poison_write_rate", "isolation_leaks", "tokens_recalled",
    ):  # fmt: skip
        assert {(method, metric) for method in ("befit", "bm25", "encoder")} <= found
    assert all(row.lo <= row.value <= row.hi for row in result.rows)


def test_the_same_seeds_give_the_same_figures() -> None:
    def figures() -> list[tuple[str, str, float]]:
        rows = run(("update", "forget"), ("befit",), seeds=2).rows
        return [(r.data, r.metric, r.value) for r in rows if r.metric != "cpu_ms_recall"]

    assert figures() == figures()


def test_an_interrupted_run_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    def measured(before: Result | None, saved: list[Result]) -> Result:
        return evaluate_memory(
            ("update", "isolation"),
            methods=("bm25",),
            seeds=1,
            people=2,
            encoder=Letters(),  # type: ignore[arg-type]
            created=AT,
            before=before,
            save=saved.append,
        )

    saved: list[Result] = []
    whole = measured(None, saved)
    assert [each.metadata["task"]["suites"] for each in saved] == [
        ["update"], ["update", "isolation"],
    ]  # fmt: skip
    path = tmp_path / "out.json"
    saved[0].save(path)
    again: list[Result] = []
    resumed = measured(Result.load(path), again)
    assert len(again) == 1
    assert resumed.rows[: len(saved[0].rows)] == saved[0].rows
    assert [(r.data, r.metric) for r in resumed.rows] == [(r.data, r.metric) for r in whole.rows]
    with pytest.raises(InputError, match="other people"):
        run_with_other_people(saved[0])


def run_with_other_people(before: Result) -> None:
    evaluate_memory(
        ("update",),
        methods=("bm25",),
        seeds=1,
        people=3,
        encoder=Letters(),  # type: ignore[arg-type]
        created=AT,
        before=before,
    )


def test_only_befit_has_a_detector_and_cusum_stands_beside_it() -> None:
    rows = run(("drift",), ("befit", "bm25")).rows
    assert {row.method for row in rows} == {"befit", "cusum-told-the-rates"}


@pytest.mark.parametrize("given", [{"suites": ("nonsense",)}, {"methods": ("nonsense",)}])
def test_an_unknown_name_is_refused(given: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(UnknownComponentError, match="nonsense"):
        evaluate_memory(created=AT, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"seeds": 0}, {"people": 0}])
def test_nobody_is_not_enough(given: dict[str, int]) -> None:
    with pytest.raises(InputError):
        evaluate_memory(("update",), created=AT, **given)  # type: ignore[arg-type]


def test_a_peer_without_a_python_is_a_typed_error() -> None:
    with pytest.raises(MissingPeerError, match="mem0"):
        run(("update",), ("mem0",))


def test_a_python_without_the_peer_is_a_typed_error(tmp_path: Path) -> None:
    peer = Peer(name="mem0", python=Path(sys.executable), encoder=Letters())  # type: ignore[arg-type]
    with pytest.raises(MissingPeerError, match="mem0"), peer.open(tmp_path):
        pass


def test_orders_reach_a_peer_with_their_vectors_and_the_wider_scopes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import sys, json\n"
        "told = []\n"
        "for line in sys.stdin:\n"
        "    order = json.loads(line)\n"
        "    told.append(order)\n"
        "    texts = [json.dumps(told)] if order['do'] == 'recall' else []\n"
        "    print(json.dumps({'texts': texts, 'count': 3}), flush=True)\n",
        "utf-8",
    )
    monkeypatch.setattr(peers, "WORKER", worker)
    peer = Peer(name="mem0", python=Path(sys.executable), encoder=Letters())  # type: ignore[arg-type]
    with peer.open(tmp_path) as memory:
        memory.remember("ann", [Turn(id="1", text="I love jazz", at=AT, scope="work")])
        (seen,) = memory.recall("ann", "jazz?", 5, AT, "work/mail")
        assert memory.forget("ann", "jazz") == 3
        assert memory.beliefs("ann", AT) is None
    assert '"scopes": ["work/mail", "work", ""]' in seen
    assert '"text": "I love jazz"' in seen
    assert '"vector"' in seen
