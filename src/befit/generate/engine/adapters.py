"""Low-rank adapters, one for each row of a batch: two small products a matrix, however many.

An adapter is what PEFT writes: for a matrix W of some layers ``W x + scale B A x``. Those of all
rows are gathered once when the rows change; matrices of one input share one product with A.

Source: LoRA, Hu et al. 2022, arXiv:2106.09685; many in one batch, Punica, arXiv:2310.18547.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from befit.core.errors import ModelFileError
from befit.generate.engine.weights import Matrix, Weights

Place = Literal["attend", "out", "gate_up", "down"]
# the matrix that a module is part of
_PLACES: Mapping[str, Place] = {
    "q_proj": "attend", "k_proj": "attend", "v_proj": "attend", "o_proj": "out",
    "gate_proj": "gate_up", "up_proj": "gate_up", "down_proj": "down",
}  # fmt: skip
PLACES: tuple[Place, ...] = ("attend", "out", "gate_up", "down")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """What an adapter adds to one matrix: ``down`` (rank, inputs), ``up`` (outputs, rank)."""

    down: Tensor
    up: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adapter:
    """One adapter, its scale folded in.

    Attributes:
        name: Tells it apart from others.
        pairs: (layer, place) -> what it adds there.
    """

    name: str
    pairs: Mapping[tuple[int, Place], Pair]

    @property
    def bytes(self) -> int:
        """What it takes."""
        return sum(pair.down.nbytes + pair.up.nbytes for pair in self.pairs.values())

    @classmethod
    def read(cls, folder: Path, weights: Weights, *, name: str = "") -> Self:
        """One that PEFT saved, in safetensors.

        Args:
            folder: With ``adapter_config.json`` and ``adapter_model.safetensors``.
            weights: Of the model that it is for.
            name: What to call it; "" is the folder's.

        Raises:
            ModelFileError: A file is missing or damaged, it is of a kind that is not computed
                here, or it was made for another model.
        """
        try:
            config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "adapter_model.safetensors")
        except (OSError, ValueError, SafetensorError) as error:
            raise _refused(folder, f"does not read: {error}") from error
        return cls.of(config, tensors, weights, name=name or folder.name)

    @classmethod
    def of(
        cls,
        config: Mapping[str, Any],
        tensors: Mapping[str, Tensor],
        weights: Weights,
        *,
        name: str,
    ) -> Self:
        """From what PEFT keeps: its settings, and its tensors by name.

        Raises:
            ModelFileError: It is of a kind that is not computed here, or for another model.
        """
        _check_kind(config, name)
        found: dict[tuple[int, str], dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            layer, module, side = _placed(key, name)
            found.setdefault((layer, module), {})[side] = tensor
        pairs: dict[tuple[int, Place], Pair] = {}
        for place in PLACES:
            spans = _spans(weights, place)
            for layer in range(len(weights.layers)):
                own = {m: found.pop((layer, m)) for m in _PLACES
                       if _PLACES[m] == place and (layer, m) in found}  # fmt: skip
                if own:
                    pairs[layer, place] = _joined(
                        own, config, getattr(weights.layers[layer], place), spans, name
                    )
        if found:
            raise _refused(name, f"is for a model with more layers: {min(found)}")
        return cls(name=name, pairs=pairs)


def _check_kind(config: Mapping[str, Any], name: str) -> None:
    if config.get("peft_type") != "LORA":
        raise _refused(name, f"is of the kind {config.get('peft_type')!r}")
    for option in ("use_dora", "modules_to_save", "lora_bias", "alora_invocation_tokens"):
        if config.get(option):
            raise _refused(name, f"uses {option}")
    if config.get("bias", "none") != "none":
        raise _refused(name, "changes biases")


def _placed(key: str, name: str) -> tuple[int, str, str]:
    parts = key.split(".")
    try:
        layer, module = int(parts[parts.index("layers") + 1]), parts[-3]
    except (ValueError, IndexError):
        raise _refused(name, f"changes {key}") from None
    side = parts[-2]
    if module not in _PLACES or side not in ("lora_A", "lora_B") or parts[-1] != "weight":
        raise _refused(name, f"changes {key}")
    return layer, module, side


def _joined(
    own: Mapping[str, Mapping[str, Tensor]],
    config: Mapping[str, Any],
    matrix: Matrix,
    spans: Mapping[str, tuple[int, int]],
    name: str,
) -> Pair:
    """Adapters of several modules of one matrix as one: A below A, B as blocks."""
    outputs, inputs = matrix.plain.shape
    rank = sum(sides["lora_A"].shape[0] for sides in own.values())
    down, up = matrix.plain.new_zeros(rank, inputs), matrix.plain.new_zeros(outputs, rank)
    at = 0
    for module, sides in own.items():
        a, b = sides["lora_A"], sides["lora_B"]
        first, last = spans[module]
        if a.shape[1] != inputs or b.shape != (last - first, a.shape[0]):
            raise _refused(name, f"is for another base: {module} has other sizes there")
        down[at : at + len(a)] = a
        up[first:last, at : at + len(a)] = _scale(config, len(a)) * b
        at += len(a)
    if not (torch.isfinite(down).all() and torch.isfinite(up).all()):
        raise _refused(name, f"holds what is no number, in {', '.join(own)}")
    return Pair(down, up)


def _spans(weights: Weights, place: Place) -> Mapping[str, tuple[int, int]]:
    """Where the outputs of each module stand in the matrix."""
    if place == "attend":
        q, k = weights.heads * weights.head_width, weights.key_heads * weights.head_width
        return {"q_proj": (0, q), "k_proj": (q, q + k), "v_proj": (q + k, q + 2 * k)}
    layer = weights.layers[0]
    if place == "gate_up":
        half = layer.gate_up.plain.shape[0] // 2
        return {"gate_proj": (0, half), "up_proj": (half, 2 * half)}
    module = "o_proj" if place == "out" else "down_proj"
    return {module: (0, getattr(layer, place).plain.shape[0])}


def _scale(config: Mapping[str, Any], rank: int) -> float:
    alpha = float(config.get("lora_alpha", rank))
    return alpha / rank**0.5 if config.get("use_rslora") else alpha / rank


@dataclass(slots=True, kw_only=True, eq=False)
class Gathered:
    """The adapters of the rows of one batch, side by side.

    Attributes:
        downs: (layer, place) -> shape (rows, inputs, rank).
        ups: (layer, place) -> shape (rows, rank, outputs).
    """

    downs: dict[tuple[int, Place], Tensor] = field(default_factory=dict)
    ups: dict[tuple[int, Place], Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Adapter | None]) -> Self:
        """For rows in order; a row without an adapter gets nothing added."""
        found = cls()
        used = list(dict.fromkeys(each for each in rows if each is not None))
        place_of = {each: i for i, each in enumerate(used)}
        for key in dict.fromkeys(key for each in used for key in each.pairs):
            rank = max(len(each.pairs[key].down) for each in used if key in each.pairs)
            example = next(each.pairs[key] for each in used if key in each.pairs)
            downs = example.down.new_zeros(len(used) + 1, example.down.shape[1], rank)
            ups = example.up.new_zeros(len(used) + 1, rank, example.up.shape[0])
            for i, each in enumerate(used):
                if key in each.pairs:
                    pair = each.pairs[key]
                    downs[i, :, : len(pair.down)] = pair.down.T
                    ups[i, : len(pair.down)] = pair.up.T
            index = torch.tensor([len(used) if a is None else place_of[a] for a in rows])
            found.downs[key], found.ups[key] = downs[index], ups[index]
        return found

    def add(self, key: tuple[int, Place], rows: Tensor, outputs: Tensor, tokens: int) -> None:
        """Add to outputs (n * tokens, outputs), of rows (n * tokens, inputs), in place."""
        down = self.downs.get(key)
        if down is None:
            return
        inside = torch.bmm(rows.view(-1, tokens, rows.shape[1]), down)
        shaped = outputs.view(-1, tokens, outputs.shape[1])
        shaped.baddbmm_(inside, self.ups[key])


def _refused(adapter: object, why: str) -> ModelFileError:
    return ModelFileError(
        f"the adapter {adapter} {why}",
        hint="give a LoRA adapter that PEFT saved for this very model, in safetensors",
        field="adapter",
    )
