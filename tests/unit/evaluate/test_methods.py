"""A method is found by its name, its module or its file."""

import sys
from pathlib import Path

import pytest

from befit.align.rewards.lore import LoRe
from befit.core.errors import MissingExtraError, UnknownComponentError
from befit.evaluate.methods import method_class, method_named, own_file, short
from befit.evaluate.running import Task

MINE = """
from dataclasses import dataclass
from befit.align.rewards.blind import RandomGuess

@dataclass(frozen=True, kw_only=True)
class Mine(RandomGuess):
    number: int = {number}
"""


def test_by_name_by_module_and_by_file(tmp_path: Path) -> None:
    assert isinstance(method_named("lore"), LoRe)
    assert method_class("befit.align.rewards.lore:LoRe") is LoRe
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(number=3))
    assert method_named(f"{path}:Mine").number == 3  # type: ignore[attr-defined]
    assert method_class(f"{path}:Mine") is method_class(f"{path}:Mine")
    assert own_file("befit.align.rewards.lore:LoRe") is None
    assert short(f"{path}:Mine") == "Mine"
    assert short("lore+bald") == "lore+bald"


def test_an_edited_file_is_another_method(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    keys = []
    for number in (1, 2):
        path.write_text(MINE.format(number=number))
        assert method_named(f"{path}:Mine").number == number  # type: ignore[attr-defined]
        task = Task(
            source="polis", data="polis", digest="", method=f"{path}:Mine", seed=0, shots=(0,),
            split="unseen-person",
        )  # fmt: skip
        keys.append(task.key)
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (None, UnknownComponentError, "does not read"),
        ("Mine = 3", UnknownComponentError, "no class 'Mine'"),
        ("import ray_of_nowhere", UnknownComponentError, "cannot be imported"),
        ("raise ModuleNotFoundError('no ray', name='ray')", MissingExtraError, "ray is not"),
    ],
)
def test_a_file_that_has_no_method_is_told(
    tmp_path: Path, content: str | None, error: type[Exception], told: str
) -> None:
    path = tmp_path / "mine.py"
    if content is not None:
        path.write_text(content)
    before = set(sys.modules)
    with pytest.raises(error, match=told):
        method_class(f"{path}:Mine")
    if content is not None and "import" in content:
        assert not {name for name in sys.modules if name.startswith("befit_method")} - before
