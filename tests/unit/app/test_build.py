import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from befit.app.build import Workshop, build_cycle
from befit.app.listening import Grammar
from befit.app.settings import load_settings
from befit.core.artifact import Artifact
from befit.core.errors import ConfigError, UnknownComponentError
from befit.core.preference import PreferenceSpace
from befit.core.protocols import ArtifactStore, Encoder, Personalizer, Policy, Screen
from befit.features.distil import AskedDistiller, Distiller, Distils
from befit.features.feature_map import FeatureMap
from befit.generate.toy import ToyPolicy
from befit.personalize.encode import EncodePersonalizer
from befit.personalize.prompt import PromptPersonalizer
from befit.personalize.stack import Stack
from befit.reward.hierarchical import FACTS, HierarchicalReward
from befit.values.audit import RewardProbe

HERE = __name__
PLAIN: dict[str, Any] = {
    "policy": {"use": "toy"},
    "reward": {"use": "style"},
    "encoder": {"use": f"{HERE}:Flat"},
    "boundary": {"guards": [{"use": "rules"}]},
}


@dataclass(frozen=True)
class Flat:
    """An encoder to which all texts are one."""

    name = "flat"
    width = 1

    def encode(self, texts: Any) -> Any:
        return [[1.0] for _ in texts]


@dataclass(frozen=True, kw_only=True)
class Wrapper:
    """A policy that asks for everything that is shared."""

    policy: Policy
    encoder: Encoder | None = None
    space: PreferenceSpace
    artifacts: ArtifactStore
    ways: tuple[Personalizer, ...] = ()
    limit: int = 3
    folder: Path = Path()

    def generate(self, *_: Any) -> list[Any]:
        return []


@dataclass(frozen=True)
class Loose:
    """No policy at all."""


class Untold:
    """No dataclass: nobody knows its options."""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFIT_CONFIG", raising=False)


def shop(**tables: Any) -> Workshop:
    return Workshop(load_settings(**{**PLAIN, **tables}))


def test_nested_tables_become_nested_components() -> None:
    table = {
        "use": f"{HERE}:Wrapper",
        "policy": {"use": "toy", "sentences": 2},
        "ways": [{"use": "prompt", "threshold": 0.5}, "encode"],
        "limit": "7",
        "folder": "here",
    }
    made = shop().build("policy", table, "policy")
    assert made.policy == ToyPolicy(sentences=2)
    assert made.ways[0].threshold == 0.5
    assert isinstance(made.ways[1], EncodePersonalizer)
    assert (made.limit, made.folder) == (7, Path("here"))


def test_what_a_table_leaves_out_is_shared() -> None:
    one = shop()
    table = {"use": f"{HERE}:Wrapper", "policy": {"use": "toy"}}
    made = one.build("policy", table, "policy")
    assert made.encoder is one.encoder
    assert made.space is one.space
    assert made.artifacts is one.artifacts
    assert one.encoder is not None
    assert one.encoder.name == "flat"


def test_default_personalizer_is_a_stack_that_shares_the_encoder() -> None:
    one = shop()
    made = one.cycle().personalizer
    assert isinstance(made, Stack)
    prompt, encode = made.layers
    assert isinstance(prompt, PromptPersonalizer)
    assert prompt.encoder is one.encoder
    assert isinstance(encode, EncodePersonalizer)


def test_default_gates_are_there_and_building_writes_nothing(tmp_path: Path) -> None:
    cycle = build_cycle(shop().settings)
    assert [guard.name for guard in cycle.boundary.guards] == ["rules"]
    assert all(isinstance(screen, Screen) for screen in cycle.boundary.screens)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("table", "field", "way_out"),
    [
        ({"use": "toy", "sentence": 1}, "policy.sentence", "did you mean policy.sentences?"),
        ({"use": "toy", "sentences": "many"}, "policy.sentences", "correct the setting"),
        ({"use": f"{HERE}:Loose"}, "policy.use", "use a component of that kind"),
        ({"use": f"{HERE}:Untold"}, "policy.use", "make it a frozen dataclass"),
        ({}, "policy.use", 'set policy.use = "..."'),
        (
            {"use": f"{HERE}:Wrapper", "ways": [{"use": "prompt", "limt": 1}]},
            "policy.ways.0.limt",
            "did you mean policy.ways.0.limit?",
        ),
    ],
)
def test_mistake_is_named(table: dict[str, Any], field: str, way_out: str) -> None:
    with pytest.raises(ConfigError) as caught:
        shop().build("policy", table, "policy")
    assert caught.value.field == field
    assert caught.value.hint == way_out


def test_missing_option_is_named() -> None:
    with pytest.raises(ConfigError, match=r"lacks the option url") as caught:
        shop().build("policy", {"use": "openai_http", "model": "m"}, "policy")
    assert caught.value.field == "policy.url"


def test_unknown_component_lists_those_there_are() -> None:
    with pytest.raises(UnknownComponentError) as caught:
        shop().build("policy", {"use": "toi"}, "policy")
    assert "toy" in caught.value.hint


def test_boundary_cannot_be_emptied() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        shop(boundary={"guards": []}).cycle()


def test_upstream_by_url_is_that_server() -> None:
    one = shop(upstream={"url": "http://127.0.0.1:9/v1", "model": "m", "timeout_s": 3})
    made: Any = one.upstream
    assert (made.url, made.model, made.read_seconds) == ("http://127.0.0.1:9/v1", "m", 3)


@pytest.mark.parametrize(
    ("use", "kind"),
    [("grammar", Grammar), ("distiller", Distiller), ("model", AskedDistiller)],
)
def test_the_reader_of_turns_is_chosen_by_name(use: str, kind: type) -> None:
    shop = Workshop(load_settings(**PLAIN, reader={"use": use}))
    assert isinstance(shop.reader, kind)
    assert isinstance(shop.reader, Distils)


def test_a_model_that_reads_turns_is_the_upstream() -> None:
    options = {"use": "model", "confidence": 0.7}
    shop = Workshop(load_settings(**PLAIN, reader=options, upstream={"url": "http://127.0.0.1:9"}))
    made = shop.reader
    assert isinstance(made, AskedDistiller)
    assert (made.policy, made.confidence) == (shop.upstream, 0.7)
    assert made.context.incognito
    assert not made.context.user


def test_a_reader_must_read() -> None:
    with pytest.raises(ConfigError):
        _ = Workshop(load_settings(**PLAIN, reader={"use": "befit.generate.toy:ToyPolicy"})).reader


def test_a_reward_in_force_that_does_not_read_does_not_bar_the_next(tmp_path: Path) -> None:
    """Else whoever is told to learn again could not."""
    made = shop()
    probe = made.boundary.probe
    assert isinstance(probe, RewardProbe)
    assert probe.incumbent() is None
    assert made.encoder is not None
    features = FeatureMap(made.encoder)
    one = np.eye(1)
    head = HierarchicalReward(
        features=features, basis=np.ones((1, features.width)), mean=one[0], covariance=one
    )
    for name, readable in (("new", True), ("old", False)):
        folder = tmp_path / name
        head.save(folder)
        if not readable:
            facts = json.loads((folder / FACTS).read_text("utf-8"))
            (folder / FACTS).write_text(json.dumps({**facts, "format": 1}), "utf-8")
        artifact = Artifact(
            id=name, kind="reward", owner=None, base="flat", at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        made.artifacts.put(artifact, folder)
        made.artifacts.promote(artifact.id)
        assert probe.incumbent() == (made.artifacts.folder(name) if readable else None)
