"""Fitting the statement head: reproducible, and as good as its card says."""

import json
from pathlib import Path

import pytest

from befit.features.fitting_statements import fit_statements, sayings
from befit.features.statement_head import shipped_head


def test_every_own_sentence_is_labelled_and_none_is_held_back_and_fitted() -> None:
    rows, held = sayings(), sayings("sayings_held.tsv")
    assert len(rows) > 700
    assert all(bool(row.value) == bool(row.topic) == (row.kind == "own") for row in rows)
    assert not {row.text for row in rows} & {row.text for row in held}
    assert {row.kind for row in held} == {row.kind for row in rows}


@pytest.mark.slow
def test_the_shipped_head_is_what_fitting_gives(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    figures = fit_statements(tmp_path)
    card = json.loads((tmp_path / "statement_head_v1.json").read_text())
    assert shipped_head().figures == pytest.approx(card["figures"], abs=0.01)
    assert figures["precision"] >= 0.88
    assert figures["recall"] >= 0.88
