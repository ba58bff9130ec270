from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the extra befit[local] is not installed")

from befit.core.errors import InputError, ModelBusyError, ModelError
from befit.generate.engine.decoding import Request
from befit.generate.engine.engine import Engine, Prompt
from befit.generate.engine.service import Service
from befit.generate.engine.weights import Weights
from befit.generate.tokens import Sampling
from befit.models.causal import causal

pytestmark = [pytest.mark.local, pytest.mark.timeout(60)]


def service(folder: Path, **options: int) -> Service:
    return Service(Engine(Weights.of(causal(str(folder)).model)), frozenset({2}), **options)


def asked(start: int, tokens: int = 20) -> Request:
    sampling = Sampling(temperature=1.0, top_p=1.0, repetition_penalty=1.0, max_new_tokens=tokens)
    return Request(prompts=(Prompt(ids=(start, start + 1)),), sampling=sampling, seed=start)


def test_many_threads_get_what_each_gets_alone(folder: Path) -> None:
    serving = service(folder, most_rows=5)
    alone = [list(serving.ask([asked(start)])[0]) for start in range(10, 40)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda start: list(serving.ask([asked(start)])[0]), range(10, 40)))
    assert found == alone


def test_whoever_leaves_makes_room(folder: Path) -> None:
    serving = service(folder, most_rows=1)
    [endless, waiting] = serving.ask([asked(10, 10**6), asked(20)])
    assert next(iter(endless)) >= 0
    endless.leave()
    assert list(waiting)


def test_beyond_its_room_it_says_busy(folder: Path) -> None:
    serving = service(folder, most_rows=1, most_waiting=2)
    answers = serving.ask([asked(10, 10**6)])
    next(iter(answers[0]))
    answers += serving.ask([asked(20), asked(30)])
    with pytest.raises(ModelBusyError) as caught:
        serving.ask([asked(40)])
    assert "again" in caught.value.hint
    for answer in answers:
        answer.leave()


def test_only_whose_prompt_is_at_fault_hears_of_it(folder: Path) -> None:
    serving = service(folder)
    empty = Request(prompts=(Prompt(ids=()),), sampling=asked(1).sampling)
    wrong, fine = serving.ask([empty, asked(20)])
    assert list(fine)
    with pytest.raises(InputError):
        list(wrong)


def test_a_failure_is_heard_and_the_next_who_ask_are_served(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = service(folder)
    [expected] = [list(answer) for answer in serving.ask([asked(20)])]
    step, broken = Engine.step, [True]

    def failing(engine: Engine, tokens: Any) -> Any:
        if broken and broken.pop():
            raise RuntimeError("out of memory")
        return step(engine, tokens)

    monkeypatch.setattr(Engine, "step", failing)
    for answer in serving.ask([asked(10), asked(30)]):
        with pytest.raises(ModelError, match="out of memory"):
            list(answer)
    [answer] = serving.ask([asked(20)])
    assert list(answer) == expected
