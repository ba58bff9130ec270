"""Fitting the statement head: reproducible, and as good as its card says."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

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
    fitted = load_file(tmp_path / "statement_head_v1.safetensors")["weights"]
    assert np.abs(fitted - shipped_head().weights).max() < 0.05
    assert shipped_head().figures == pytest.approx(card["figures"], abs=0.01)
    assert min(figures["precision"], figures["recall"]) >= 0.88
    assert min(figures["held/precision"], figures["held/recall"]) >= 0.9
