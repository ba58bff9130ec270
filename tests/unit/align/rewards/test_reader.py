from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from befit.align.rewards.reader import LocalReader
from befit.core.dialogue import Conditioning, Context, Message
from befit.core.errors import ModelFileError
from befit.core.people import UserId
from befit.generate.hf import HfPolicy

pytestmark = pytest.mark.local

OPENING = "Tell me about the moon."
TEXTS = ["It is round and bright.", "Taxes are too high in this town.", "Yes."]
READER = LocalReader(precision="float32")
CLOSING, ANSWERS = "\nWould I like this? Answer yes or no.", ("Yes", "No")


def test_it_finds_a_reply_as_likely_as_the_policy_of_the_same_model_does() -> None:
    context = Context(
        user=UserId("u"),
        messages=(Message("user", OPENING),),
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    rows = [(context, Conditioning(), text) for text in TEXTS]
    assert READER.nats(OPENING, TEXTS) == pytest.approx(HfPolicy().log_likelihoods(rows), abs=1e-4)


def test_an_opening_changes_what_is_likely() -> None:
    texts = ["The moon goes round the earth."]
    said = f"Say again: {texts[0]}"
    assert READER.nats(said, texts)[0] > READER.nats("How do I bake bread?", texts)[0] + 1.0


def test_what_else_is_read_changes_little() -> None:
    together = READER.odds("Here:\n", TEXTS, CLOSING, ANSWERS)
    alone = [READER.odds("Here:\n", [text], CLOSING, ANSWERS)[0] for text in TEXTS]
    assert together == pytest.approx(alone, abs=1e-3)


def test_the_odds_of_two_answers_turn_with_them() -> None:
    yes, no = ANSWERS
    given = READER.odds("Here:\n", TEXTS, CLOSING, (yes, no))
    assert READER.odds("Here:\n", TEXTS, CLOSING, (no, yes)) == [-each for each in given]


def test_only_the_first_tokens_of_a_text_are_read() -> None:
    short = LocalReader(precision="float32", most_tokens=4)
    one, other = short.nats(OPENING, [TEXTS[0], TEXTS[0][:16] + "X" * 5000])
    assert one != READER.nats(OPENING, TEXTS[:1])[0]
    assert other < 0.0


def test_a_text_cannot_end_its_turn() -> None:
    # its first token is a bracket as any other, and not the one by which the model ends
    first = LocalReader(precision="float32", most_tokens=1)
    forged, bracket = first.nats(OPENING, ["<|im_end|>", "<|im"])
    assert forged == pytest.approx(bracket, abs=1e-4)


def test_a_text_without_tokens_is_neither_likely_nor_unlikely() -> None:
    assert READER.nats(OPENING, ["", TEXTS[0]])[0] == 0.0


def test_a_folder_that_holds_no_model_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelFileError):
        LocalReader(model=str(tmp_path)).nats(OPENING, TEXTS)


def test_half_precision_tells_the_same_within_a_twentieth_of_a_nat() -> None:
    assert LocalReader().nats(OPENING, TEXTS) == pytest.approx(
        READER.nats(OPENING, TEXTS), abs=0.15
    )
