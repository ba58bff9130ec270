"""The readers that the settings name, without what the person did not allow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from befit.app.projecting import Projecting
from befit.app.settings import Inference
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.people import UserId
from befit.memory.consented import ConsentedMemory
from befit.memory.ledger import SqliteLedger
from befit.memory.spaces import load_space, sensitive
from befit.memory.sqlite import SqliteMemory

ANA, NOW = UserId("ana"), datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Asked:
    seen: list[str] = field(default_factory=list)

    def generate(self, context: Context, _: Conditioning, n: int) -> Sequence[Draft]:
        self.seen.append(context.prompt)
        answer = '{"gardening": 2}' if "- gardening:" in context.prompt else "{}"
        return [Draft(text=answer, policy="p")] * n


def test_a_model_is_asked_as_the_settings_say_and_never_of_what_is_barred(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    ledger = SqliteLedger(path=f"{path}.rights")
    memory = ConsentedMemory(memory=SqliteMemory(path), ledger=ledger)
    policy = Asked()
    inference = Inference(projectors=("surface", "asked"), asked_noise=0.9, asked_at_once=20)
    shop: Any = SimpleNamespace(
        space=load_space("whole"),
        settings=SimpleNamespace(inference=inference),
        upstream=policy,
        encoder=None,
    )
    reader = Projecting(shop=shop).projector(memory, ANA, NOW)
    read = reader.project("I dug the beds all day, my dear.")
    assert read["gardening"] == pytest.approx((1.0, 0.9))
    barred = sensitive("whole")
    assert not any(f"- {name}:" in prompt for prompt in policy.seen for name in barred)
    memory.consent(ANA, "sensitive", "personalize", NOW, allowed=True)
    Projecting(shop=shop).projector(memory, ANA, NOW).project("I dug the beds all day.")
    assert all(any(f"- {name}:" in prompt for prompt in policy.seen) for name in barred)
