"""Every installed component of every kind keeps the promises of its protocol."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from befit import testing
from befit.app.build import Workshop
from befit.app.settings import load_settings
from befit.core.dialogue import Draft
from befit.core.feedback import Comparison
from befit.core.people import UserId
from befit.core.registry import names
from befit.reward.hierarchical import HierarchicalReward

OPTIONS: dict[str, dict[str, Any]] = {
    "policy.openai_http": {"url": "http://127.0.0.1:9/v1", "model": "none"},
    "policy.best_of_n": {"policy": {"use": "toy"}, "reward": {"use": "style"}},
    "policy.hf": {"max_new_tokens": 8},
    "personalizer.stack": {"layers": [{"use": "prompt"}, {"use": "encode"}]},
}
CHECKS: dict[str, Callable[[Any], None]] = {
    "memory": testing.check_memory,
    "inferer": testing.check_inferer,
    "encoder": testing.check_encoder,
    "personalizer": testing.check_personalizer,
    "policy": testing.check_policy,
    "reward": testing.check_reward,
    "guard": testing.check_guard,
    "screen": testing.check_screen,
    "interpreter": testing.check_interpreter,
}
WATCHES = {  # what a screen that watches for something of its own must refuse
    "screen.personal_data": partial(testing.check_screen, bad="My card is 4539 1488 0343 6467."),
}
NEEDS_MODELS = {
    "policy.hf",
    "encoder.minilm",
    "reward.active",
    "guard.heads",
    "learner.reward",
    "encoder.hidden-states",
    "reward.values",
}
# checked where a server is, in tests/unit
ELSEWHERE = {"policy.openai_http", "memory.postgres", "memory.sealed_postgres"}


def _all(kinds: Sequence[str]) -> list[Any]:
    return [
        pytest.param(
            kind,
            name,
            id=f"{kind}.{name}",
            marks=[pytest.mark.local] if f"{kind}.{name}" in NEEDS_MODELS else [],
        )
        for kind in kinds
        for name in names(kind)
    ]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.chdir(tmp_path)
    return Workshop(load_settings(policy={"use": "toy"}))


def _build(shop: Workshop, kind: str, name: str) -> Any:
    return shop.build(kind, {"use": name, **OPTIONS.get(f"{kind}.{name}", {})}, kind)


@pytest.mark.parametrize(("kind", "name"), _all([*CHECKS, "learner"]))
def test_component_stores_its_options(shop: Workshop, kind: str, name: str) -> None:
    testing.check_options(_build(shop, kind, name))


@pytest.mark.parametrize(
    ("kind", "name"), [case for case in _all(list(CHECKS)) if case.id not in ELSEWHERE]
)
def test_component_keeps_its_protocol(shop: Workshop, kind: str, name: str) -> None:
    check = WATCHES.get(f"{kind}.{name}", CHECKS[kind])
    check(_build(shop, kind, name))


def test_journal(shop: Workshop) -> None:
    testing.check_journal(shop.journal)


def test_artifacts(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    testing.check_artifact_store(shop.artifacts, tmp_path / "made")


def comparisons() -> list[Comparison]:
    """Twelve people, half of whom like it short."""
    texts = ("Yes: boil it.", "Boil it slowly, stir, taste, and season it until it is done. " * 4)
    return [
        Comparison(
            context=testing.context(UserId(f"u{person}"), f"How do I cook dish {dish}?"),
            chosen=Draft(text=f"{texts[person % 2]} Dish {dish}.", policy="p"),
            rejected=Draft(text=f"{texts[1 - person % 2]} Dish {dish}.", policy="p"),
        )
        for person in range(12)
        for dish in range(6)
    ]


@pytest.mark.local
@pytest.mark.parametrize(("kind", "name"), _all(["learner"]))
def test_learner(shop: Workshop, kind: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    testing.check_learner(_build(shop, kind, name), comparisons(), tmp_path / "made")


@pytest.mark.local
def test_taste_of_what_was_learned(shop: Workshop, tmp_path: Path) -> None:
    _build(shop, "learner", "reward").learn(comparisons(), tmp_path, testing.AT)
    assert shop.encoder is not None
    testing.check_taste(HierarchicalReward.load(tmp_path, shop.encoder))


class _Broken:
    """Breaks every promise, so that the checks are known to see it."""

    name = "broken"
    values = ("taste",)
    width = 3

    def generate(self, *_: Any) -> list[Draft]:
        return []

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        return [[2.0, 0.0, 0.0] for _ in texts]

    def score(self, _: Any, __: Any, drafts: Sequence[Draft]) -> list[float]:
        return [float(i) for i, _ in enumerate(drafts)]

    uncertainty = score


@pytest.mark.parametrize(
    "check",
    [
        testing.check_policy,
        testing.check_encoder,
        testing.check_reward,
        testing.check_guard,
        testing.check_options,
    ],
)
def test_checks_see_what_is_broken(check: Callable[[Any], None]) -> None:
    with pytest.raises(AssertionError, match=r"\w+ \w+"):
        check(_Broken())
