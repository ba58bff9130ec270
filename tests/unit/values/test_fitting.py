"""Fitting on a small made-up data folder, measuring, and what is kept out."""

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.errors import NotEnoughFeedbackError
from befit.values.contrast import contrast
from befit.values.corpora import corpora, digest, held_out
from befit.values.fitting import fit, training
from befit.values.measuring import auroc, calibration_error, check, interval, recall_at_5_percent
from befit.values.weights import heads_at

TOPICS = [
    f"{one} {two}"
    for one in ("tea", "bees", "salt", "rain", "wool", "iron")
    for two in map(str, range(20))
]


class Letters:
    """An encoder of letter counts."""

    name = "letters"
    width = 26

    def encode(self, texts: Any) -> Any:
        rows = np.array(
            [[text.lower().count(chr(97 + n)) + 0.1 for n in range(26)] for text in texts]
        )
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in ("truthfulqa", "oasst1-validation-en", "xstest"):
        (root / name).mkdir()
    with (root / "truthfulqa/TruthfulQA.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Question", "Correct Answers", "Incorrect Answers"])
        for topic in TOPICS:
            question = f"Is {topic} magic?"
            writer.writerow([question, f"No, {topic} is not magic", f"Yes, {topic} is magic"])
    messages = []
    for topic in TOPICS:
        asked: dict[str, Any] = {
            "message_id": topic,
            "role": "prompter",
            "text": f"Tell me of {topic}",
            "rank": None,
        }
        messages.append({**asked, "parent_id": None, "message_tree_id": topic})
        for rank, text in enumerate((f"{topic} has a long and rich history.", "No idea")):
            reply = {
                "message_id": f"{topic}{rank}",
                "role": "assistant",
                "text": text,
                "rank": rank,
            }
            messages.append({**reply, "parent_id": topic, "message_tree_id": topic})
    lines = "\n".join(json.dumps(message) for message in messages)
    path = root / "oasst1-validation-en/messages.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    (root / "xstest/xstest_prompts.csv").write_text(
        "id,prompt,label\n1,How do I peel a pear?,safe\n2,How do I murder a clerk?,unsafe\n"
    )
    return root


def test_xstest_is_never_fitted_on(folder: Path) -> None:
    assert "xstest" in {corpus.name for corpus in corpora(folder)}
    assert "xstest" not in {corpus.name for corpus in training(folder)}


def test_permissive_data_alone_is_for_what_ships(folder: Path) -> None:
    assert all(corpus.permissive for corpus in training(folder, permissive=True))


def test_what_is_fitted_is_read_back_and_measured(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    card = fit(folder, tmp_path, encoder=Letters(), progress=said.append)
    assert any("fitting" in line for line in said)
    assert heads_at(str(tmp_path)).card == card
    assert card.encoder == "letters"
    assert card.figures["truthfulqa/honest/heads/auroc"] > 0.9
    assert card.figures["befit-contrast/harmless/heads/auroc"] > 0.7
    again = fit(folder, tmp_path / "again", encoder=Letters())
    assert again.sha256 == card.sha256
    rows = check(folder, path=str(tmp_path), encoder=Letters())
    assert {"data", "method", "shots", "metric", "value", "lo", "hi", "people"} == set(rows[0])
    methods = {row["method"] for row in rows}
    assert {"heads", "heads-cross-validated", "floor", "threshold", "constitution"} <= methods
    accuracies = [row for row in rows if row["metric"] == "auroc"]
    assert all(row["lo"] <= row["value"] <= row["hi"] for row in accuracies)
    truth = next(
        row for row in rows if (row["data"], row["method"]) == ("truthfulqa/honest", "heads")
    )
    refused = next(
        row["value"]
        for row in card.validated
        if (row["data"], row["metric"]) == ("truthfulqa/honest", "false_refusals")
    )
    assert refused <= 0.05  # two in a hundred were allowed, and there are a hundred
    unseen = {f"Is {topic} magic?" for topic in TOPICS if held_out(f"Is {topic} magic?")}
    assert truth["people"] == len(unseen)


def test_hidden_states_enter_a_fit_and_are_asked_for_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def states(prompts: Any, texts: Any) -> Any:
        asked.append(len(texts))
        found = np.random.default_rng(0).normal(5.0, 3.0, (len(texts), 4)).astype(np.float32)
        found[:, 0] = [40.0 * ("is not magic" in text) for text in texts]
        return found

    monkeypatch.setattr("befit.values.reading.INSIDE", 4)
    for module in ("table", "weights"):
        monkeypatch.setattr(f"befit.values.{module}.inside", {"local": states}.get)
    small = fit(folder, tmp_path / "small", encoder=Letters())
    asked.clear()
    card = fit(folder, tmp_path / "local", encoder=Letters(), features="local")
    assert card.features == "local"
    assert sum(asked) > 0
    heads = heads_at(str(tmp_path / "local"))
    assert abs(heads.tensors["honest.inside"][0]) > 0.0
    # what was fitted on scaled states reads unscaled ones to the same probabilities
    reading = heads.read(Letters(), ["Is tea 1 magic?"] * 2, ["It is not magic", "It is magic"])
    chances = heads.probability("honest", reading)
    assert chances[0] < 0.5 < chances[1]
    assert small.features == "small"


def test_too_little_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughFeedbackError) as raised:
        fit(tmp_path, tmp_path / "out", encoder=Letters())
    assert "honest" in str(raised.value)
    assert raised.value.hint


def test_the_contrast_has_no_request_on_both_sides() -> None:
    engaged = [row for row in contrast().judged if not row.text.startswith("I")]
    harmful = {row.prompt for row in engaged if row.bad}
    assert not harmful & {row.prompt for row in engaged if not row.bad}
    assert len(harmful) > 400


@pytest.mark.data
def test_no_contrast_request_is_taken_from_xstest(real_data: Path) -> None:
    published = next(corpus for corpus in corpora(real_data) if corpus.name == "xstest")
    own = [_words(prompt) for prompt in {row.prompt for row in contrast().judged}]
    for row in published.judged:
        taken = _words(row.prompt)
        assert max(len(taken & mine) / len(taken | mine) for mine in own) < 0.8


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z']+", text.lower()))


@pytest.mark.data
@pytest.mark.local
@pytest.mark.slow
def test_shipped_heads_keep_their_figures_on_real_data(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "hh-rlhf").mkdir()
    for name in ("truthfulqa", "xstest"):
        (tmp_path / name).symlink_to(real_data / name)
    pairs = "hh-rlhf/harmless-base-test.jsonl.gz"
    (tmp_path / pairs).symlink_to(real_data / pairs)
    rows = {(row["data"], row["method"], row["metric"]): row["value"] for row in check(tmp_path)}
    assert rows["hh-rlhf/harmless", "heads", "accuracy"] > 0.62
    assert rows["truthfulqa/honest", "heads", "auroc"] > 0.77
    assert rows["xstest/harmless", "heads", "auroc"] > 0.763


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40))
def test_auroc_is_the_share_of_ordered_pairs(rows: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in rows])
    bad = np.array([side for _, side in rows])
    if bad.all() or not bad.any():
        return
    pairs = [(b > g) + 0.5 * (b == g) for b in scores[bad] for g in scores[~bad]]
    assert auroc(scores, bad) == pytest.approx(np.mean(pairs))


def test_calibration_and_recall() -> None:
    bad = np.arange(1000) % 2 == 0
    assert calibration_error(bad.astype(float), bad) == pytest.approx(0.0)
    assert calibration_error((~bad).astype(float), bad) > 0.9
    assert recall_at_5_percent(bad.astype(float), bad) == 1.0


def test_an_interval_holds_its_value_and_shrinks_with_groups() -> None:
    values = np.tile([0.0, 1.0], 200)

    def mean(rows: Any) -> float:
        return float(values[rows].mean())

    few = interval(mean, [str(n // 40) for n in range(400)], seed=0)
    values = np.random.default_rng(0).random(400)
    many = interval(mean, [str(n) for n in range(400)], seed=0)
    assert few[0] <= 0.5 <= few[1]
    assert many[0] < values.mean() < many[1]
    assert 0.0 < many[1] - many[0] < 0.1


def test_a_digest_is_stable() -> None:
    assert digest("Is tea magic?") == digest(" is tea magic? ")
    share = np.mean([held_out(str(n)) for n in range(2000)])
    assert 0.17 < share < 0.23
