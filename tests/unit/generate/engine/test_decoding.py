from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra befit[local] is not installed")

import torch
from torch import Tensor

from befit.core.errors import InputError, ModelError
from befit.generate.engine.blends import Weighted
from befit.generate.engine.decoding import Decoding, Request
from befit.generate.engine.engine import Engine, Prompt
from befit.generate.engine.weights import Weights
from befit.generate.tokens import Sampling, decode
from befit.models.causal import causal

pytestmark = pytest.mark.local

GREEDY = Sampling(temperature=0.0, top_p=1.0, repetition_penalty=1.0, max_new_tokens=8)
DRAWN = Sampling(temperature=1.0, top_p=0.9, repetition_penalty=1.2, max_new_tokens=12)
PROMPTS = [(5, 6, 7), (8, 9), tuple(range(10, 60)), (70,)]


@dataclass(frozen=True)
class NoNumbers:
    """A blend that went wrong."""

    weights: None = None

    def combine(self, logits: Tensor) -> Tensor:
        return logits[0] * float("nan")


@dataclass(frozen=True)
class Naive:
    """A weighted sum that sees each row's logits."""

    by: tuple[float, ...]
    weights: None = None

    def combine(self, logits: Tensor) -> Tensor:
        found: Tensor = (torch.tensor(self.by)[:, None] * logits).sum(dim=0)
        return found


@pytest.fixture
def engine(folder: Path) -> Engine:
    return Engine(Weights.of(causal(str(folder)).model))


def asked(*prompts: tuple[int, ...], seed: int = 0, sampling: Sampling = GREEDY) -> Request:
    return Request(prompts=tuple(Prompt(ids=p) for p in prompts), sampling=sampling, seed=seed)


def finished(decoding: Decoding) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    while len(decoding):
        for said in decoding.step():
            own = found.setdefault(said.request, [])
            if said.token is not None:
                own.append(said.token)
    return found


@pytest.mark.parametrize("sampling", [GREEDY, DRAWN])
def test_it_says_what_transformers_says_at_the_same_seed(
    engine: Engine, folder: Path, sampling: Sampling
) -> None:
    expected: list[list[int]] = [[] for _ in PROMPTS]
    model = causal(str(folder)).model
    for step in decode(model, PROMPTS, range(4), [sampling] * 4, frozenset({2})):
        for row, token in step:
            expected[row].append(token)
    decoding = Decoding(engine, frozenset({2}))
    numbers = decoding.join([asked(p, seed=i, sampling=sampling) for i, p in enumerate(PROMPTS)])
    found = finished(decoding)
    assert [found[number] for number in numbers] == expected
    assert not engine.rows


def test_whoever_joins_later_changes_nobody(engine: Engine) -> None:
    decoding = Decoding(engine, frozenset())
    alone = {}
    for place, prompt in enumerate(PROMPTS):
        [number] = decoding.join([asked(prompt, seed=place, sampling=DRAWN)])
        alone[place] = finished(decoding)[number]
    first = decoding.join([asked(PROMPTS[i], seed=i, sampling=DRAWN) for i in (0, 1)])
    found: dict[int, list[int]] = {}

    def step() -> None:
        for said in decoding.step():
            found.setdefault(said.request, []).append(said.token or -1)

    step()
    step()
    second = decoding.join([asked(PROMPTS[i], seed=i, sampling=DRAWN) for i in (2, 3)])
    step()
    decoding.leave([first[0]])
    while len(decoding):
        step()
    assert found[first[0]] == alone[0][:3]
    for number, place in ((first[1], 1), (second[0], 2), (second[1], 3)):
        assert found[number] == alone[place]


def test_a_sum_before_the_head_is_the_sum_after_it(engine: Engine) -> None:
    decoding = Decoding(engine, frozenset())
    rows = tuple(Prompt(ids=p) for p in PROMPTS[:3])
    weights = (1.5, -0.8, 0.3)
    numbers = decoding.join(
        [
            Request(prompts=rows, sampling=GREEDY, blend=Weighted(weights)),
            Request(prompts=rows, sampling=GREEDY, blend=Naive(weights)),
        ]
    )
    found = finished(decoding)
    assert found[numbers[0]] == found[numbers[1]]
    assert len(found[numbers[0]]) == GREEDY.max_new_tokens


def test_what_is_no_number_ends_one_answer_alone(engine: Engine) -> None:
    decoding = Decoding(engine, frozenset())
    [number] = decoding.join([asked(PROMPTS[0])])
    expected = finished(decoding)[number]
    broken, fine = decoding.join(
        [
            Request(prompts=(Prompt(ids=(5,)),), sampling=GREEDY, blend=NoNumbers()),
            asked(PROMPTS[0]),
        ]
    )
    [failed, _] = decoding.step()
    assert failed.request == broken
    assert isinstance(failed.failure, ModelError)
    assert finished(decoding)[fine] == expected[1:]


def test_a_prompt_that_cannot_be_read_leaves_all_others(engine: Engine) -> None:
    decoding = Decoding(engine, frozenset())
    [number] = decoding.join([asked(PROMPTS[0])])
    decoding.step()
    with pytest.raises(InputError):
        decoding.join([asked(())])
    assert len(finished(decoding)[number]) == GREEDY.max_new_tokens - 1
