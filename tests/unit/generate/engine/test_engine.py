from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the extra befit[local] is not installed")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from befit.core.errors import InputError
from befit.generate.engine.engine import Engine, Prompt
from befit.generate.engine.rows import Row
from befit.generate.engine.weights import Weights, fits
from befit.models.causal import causal

pytestmark = pytest.mark.local

NEAR = 2e-4  # of logits up to some tens
BEGINNING = tuple(range(10, 40))


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return causal(str(folder)).model


@pytest.fixture
def engine(model: Any) -> Engine:
    return Engine(Weights.of(model))


def alone(model: Any, ids: Sequence[int]) -> Tensor:
    """The logits after all tokens, read by transformers from the start."""
    with torch.inference_mode():
        found: Tensor = model(torch.tensor([list(ids)])).logits[0, -1]
    return found


def close_to(found: Tensor, expected: Tensor) -> bool:
    return float((found - expected).abs().max()) < NEAR


def test_a_llama_fits_and_others_do_not(model: Any) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel  # noqa: PLC0415 - an extra

    assert fits(model)
    assert not fits(GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=9)))


@given(
    prompts=st.lists(
        st.lists(st.integers(3, 250), min_size=1, max_size=40), min_size=1, max_size=6
    ),
    together=st.booleans(),
    steps=st.integers(0, 4),
)
@settings(max_examples=25, deadline=None)
def test_each_row_says_what_it_would_alone(
    folder: Path, prompts: list[list[int]], together: bool, steps: int
) -> None:
    model = causal(str(folder)).model
    engine = Engine(Weights.of(model))
    begun = [(*BEGINNING, *p) if together else tuple(p) for p in prompts]
    rows, hidden = engine.open([Prompt(ids=ids) for ids in begun])
    said = [list(ids) for ids in begun]
    for step in range(steps):
        tokens = [3 + (7 * step + place) % 200 for place in range(len(rows))]
        for own, token in zip(said, tokens, strict=True):
            own.append(token)
        hidden = engine.step(torch.tensor(tokens))
    for row, own in zip(rows, said, strict=True):
        assert close_to(engine.logits(hidden[row.slot][None])[0], alone(model, own))


def test_a_shared_beginning_is_read_and_stored_once(engine: Engine, model: Any) -> None:
    begun = [(*BEGINNING, 50), (*BEGINNING, 60, 61)]
    rows, hidden = engine.open([Prompt(ids=ids) for ids in begun])
    assert rows[0].prefix is not None
    assert rows[0].prefix is rows[1].prefix
    assert [row.length for row in rows] == [1, 2]
    later, again = engine.open([Prompt(ids=(*BEGINNING, 70))])
    assert later[0].prefix is rows[0].prefix
    assert close_to(engine.logits(again)[0], alone(model, (*BEGINNING, 70)))
    assert close_to(engine.logits(hidden)[1], alone(model, begun[1]))


def test_beginnings_stay_within_their_bytes(model: Any) -> None:
    weights = Weights.of(model)
    engine = Engine(weights, prefix_bytes=weights.token_bytes * (len(BEGINNING) + 5))
    engine.open([Prompt(ids=(*BEGINNING, 50)), Prompt(ids=(*BEGINNING, 60))])
    other = tuple(range(100, 130))
    engine.open([Prompt(ids=(*other, 50)), Prompt(ids=(*other, 60))])
    assert engine.prefixes.bytes <= engine.prefixes.most_bytes
    assert engine.prefixes.longest((*BEGINNING, 50), "") is None
    assert engine.prefixes.longest((*other, 50), "") is not None


def test_rows_join_and_leave_between_steps(engine: Engine, model: Any) -> None:
    first, _ = engine.open([Prompt(ids=(5, 6, 7)), Prompt(ids=(8, 9))])
    engine.step(torch.tensor([20, 21]))
    second, _ = engine.open([Prompt(ids=(30, 31, 32, 33))])
    engine.close([first[0]])
    said = {id(first[1]): [8, 9, 21], id(second[0]): [30, 31, 32, 33]}
    tokens = []
    for row in engine.rows:
        tokens.append(40 + row.slot)
        said[id(row)].append(40 + row.slot)
    hidden = engine.step(torch.tensor(tokens))
    for row in engine.rows:
        expected = alone(model, said[id(row)])
        assert close_to(engine.logits(hidden[row.slot][None])[0], expected)
    engine.close(list(engine.rows))
    assert not engine.rows


def test_several_tokens_at_once_are_as_one_after_the_other(engine: Engine, model: Any) -> None:
    begun = [(5, 6, 7), (8, 9)]
    engine.open([Prompt(ids=ids) for ids in begun])
    guesses = torch.tensor([[20, 21, 22], [23, 24, 25]])
    hidden = engine.step(guesses)
    for at, ids in enumerate(begun):
        for seen in range(3):
            expected = alone(model, (*ids, *guesses[at, : seen + 1].tolist()))
            assert close_to(engine.logits(hidden[at])[seen], expected)


def test_what_is_taken_back_was_never_said(engine: Engine, model: Any) -> None:
    [row], _ = engine.open([Prompt(ids=(5, 6, 7))])
    engine.step(torch.tensor([[20, 21, 22]]))
    engine.back(row, 2)
    hidden = engine.step(torch.tensor([90]))
    assert close_to(engine.logits(hidden)[0], alone(model, (5, 6, 7, 20, 90)))
    with pytest.raises(InputError):
        engine.back(row, 100)


@pytest.mark.parametrize(
    ("prompt", "field"), [(Prompt(ids=()), "ids"), (Prompt(ids=(1,), adapter="none"), "adapter")]
)
def test_a_prompt_that_cannot_be_read_changes_nothing(
    engine: Engine, prompt: Prompt, field: str
) -> None:
    rows: list[Row] = list(engine.rows)
    with pytest.raises(InputError) as caught:
        engine.open([Prompt(ids=(5,)), prompt])
    assert caught.value.field == field
    assert list(engine.rows) == rows
