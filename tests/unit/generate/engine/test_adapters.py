import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the extra befit[local] is not installed")

import torch
from safetensors.torch import save_file
from torch import Tensor

from befit.core.errors import InputError, ModelFileError
from befit.generate.engine.adapters import Adapter
from befit.generate.engine.engine import Engine, Prompt
from befit.generate.engine.weights import Weights
from befit.models.causal import causal

pytestmark = pytest.mark.local

SIZES = {"q_proj": (32, 32), "k_proj": (16, 32), "v_proj": (16, 32), "o_proj": (32, 32),
         "gate_proj": (64, 32), "up_proj": (64, 32), "down_proj": (32, 64)}  # fmt: skip
IDS = (5, 6, 7, 8)


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return causal(str(folder)).model


def written(
    folder: Path, modules: tuple[str, ...], rank: int, seed: int, **config: Any
) -> dict[str, Tensor]:
    """An adapter in PEFT's files; returns what it adds to each weight of the model."""
    random = torch.Generator().manual_seed(seed)
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": 16, "bias": "none", **config}
    tensors, added = {}, {}
    scale = 16 / rank**0.5 if config.get("use_rslora") else 16 / rank
    for layer in range(2):
        for module in modules:
            outputs, inputs = SIZES[module]
            a = 0.2 * torch.randn(rank, inputs, generator=random)
            b = 0.2 * torch.randn(outputs, rank, generator=random)
            part = "self_attn" if module[0] in "qkvo" else "mlp"
            name = f"model.layers.{layer}.{part}.{module}"
            tensors[f"base_model.model.{name}.lora_A.weight"] = a
            tensors[f"base_model.model.{name}.lora_B.weight"] = b
            added[f"{name}.weight"] = scale * b @ a
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    save_file(tensors, folder / "adapter_model.safetensors")
    return added


def changed(model: Any, added: dict[str, Tensor]) -> Tensor:
    """The logits of the model with the adapter added to its weights."""
    state = dict(model.state_dict())
    moved = {name: state[name] + change for name, change in added.items()}
    with torch.inference_mode():
        output = torch.func.functional_call(model, moved, (torch.tensor([IDS]),))
        found: Tensor = output.logits[0, -1]
    return found


def test_each_row_hears_its_own_adapter(model: Any, tmp_path: Path) -> None:
    weights = Weights.of(model)
    engine = Engine(weights)
    kinds: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        (("q_proj", "v_proj"), {}),
        (tuple(SIZES), {}),
        (("k_proj", "up_proj", "o_proj"), {"use_rslora": True}),
    ]
    expected = {"": changed(model, {})}
    for number, (modules, config) in enumerate(kinds):
        name = f"kind-{number}"
        expected[name] = changed(
            model, written(tmp_path / name, modules, 2 + number, number, **config)
        )
        engine.register(Adapter.read(tmp_path / name, weights))
    order = ["kind-1", "", "kind-0", "kind-2", "kind-0"]
    engine.open([Prompt(ids=IDS[:-1], adapter=name) for name in order])
    logits = engine.logits(engine.step(torch.tensor([IDS[-1]] * len(order))))
    for row, name in zip(logits, order, strict=True):
        assert float((row - expected[name]).abs().max()) < 1e-3
    assert float((expected["kind-0"] - expected[""]).abs().max()) > 0.1


def test_an_adapter_of_the_same_name_replaces_the_first(model: Any, tmp_path: Path) -> None:
    weights = Weights.of(model)
    engine = Engine(weights)
    for seed in (1, 2):
        expected = changed(model, written(tmp_path / "one", ("q_proj", "o_proj"), 4, seed))
        engine.register(Adapter.read(tmp_path / "one", weights))
        rows, hidden = engine.open([Prompt(ids=IDS, adapter="one")] * 2)
        assert float((engine.logits(hidden)[0] - expected).abs().max()) < 1e-3
        with pytest.raises(InputError):
            engine.forget("one")
        engine.close(rows)


def broken(folder: Path, how: str) -> None:
    written(folder, ("q_proj",), 4, 0)
    config = json.loads((folder / "adapter_config.json").read_text())
    name = "base_model.model.model.layers.{}.self_attn.{}.lora_{}.weight"
    tensors = {
        name.format(0, "q_proj", "A"): torch.ones(4, 32),
        name.format(0, "q_proj", "B"): torch.ones(32, 4),
    }
    if how == "pickled":
        (folder / "adapter_model.safetensors").unlink()
        torch.save(tensors, folder / "adapter_model.bin")
    elif how == "cut":
        (folder / "adapter_model.safetensors").write_bytes(b"\x08")
    elif how in ("use_dora", "modules_to_save"):
        config[how] = True
    elif how == "kind":
        config["peft_type"] = "IA3"
    elif how == "width":
        tensors[name.format(0, "q_proj", "A")] = torch.ones(4, 33)
        save_file(tensors, folder / "adapter_model.safetensors")
    elif how == "layers":
        tensors[name.format(9, "q_proj", "A")] = torch.ones(4, 32)
        tensors[name.format(9, "q_proj", "B")] = torch.ones(32, 4)
        save_file(tensors, folder / "adapter_model.safetensors")
    elif how == "head":
        tensors["base_model.model.lm_head.lora_A.weight"] = torch.ones(4, 32)
        save_file(tensors, folder / "adapter_model.safetensors")
    elif how == "number":
        tensors[name.format(0, "q_proj", "B")][0] = float("nan")
        save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    "how",
    ["pickled", "cut", "use_dora", "modules_to_save", "kind", "width", "layers", "head", "number"],
)
def test_what_is_no_adapter_of_this_model_is_refused(model: Any, tmp_path: Path, how: str) -> None:
    broken(tmp_path, how)
    with pytest.raises(ModelFileError) as caught:
        Adapter.read(tmp_path, Weights.of(model))
    assert caught.value.field == "adapter"
    assert "PEFT" in caught.value.hint
