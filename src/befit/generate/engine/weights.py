"""The weights of a language model of the Llama family, laid out to be read once a step.

A step of a small batch does nothing but stream weights, so that how they lie decides its speed.
Queries, keys and values are one matrix, and so are gate and up. Where the processor library can,
every matrix is packed for a few rows at once: plain, four rows cost twice as much as two. Models
of other families are decoded by transformers itself.
"""

from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import linear

FAMILY = frozenset({"llama", "mistral", "qwen2"})
ROTATIONS = frozenset({"default", "linear", "llama3"})  # whose frequencies never change
_PACKED_FOR = 8  # rows that the layout is made for; it serves any number
_MOST_PACKED = 64  # rows beyond which the plain product is as fast


@dataclass(slots=True, eq=False)
class Matrix:
    """One linear map of rows; packed, beside the plain layout, when a few rows first come.

    Attributes:
        plain: Shape (outputs, inputs).
        bias: Shape (outputs,).
    """

    plain: Tensor
    bias: Tensor | None
    _packed: Tensor | None = field(default=None, init=False, repr=False)
    _can_pack: bool = field(default=True, init=False, repr=False)

    @classmethod
    def of(cls, *modules: Any) -> Self:
        """Several linear modules of one input as one; all of them have a bias, or none.

        The modules go on working, on views of the joined matrix.
        """
        parts = [module.weight.detach() for module in modules]
        plain = torch.cat(parts) if len(parts) > 1 else parts[0]
        sizes = [len(part) for part in parts]
        for module, part in zip(modules, torch.split(plain, sizes), strict=True):
            module.weight.data = part  # the module reads the joined matrix: one copy, not two
        biases = [m.bias.detach() for m in modules if getattr(m, "bias", None) is not None]
        return cls(plain, torch.cat(biases) if biases else None)

    def __call__(self, rows: Tensor) -> Tensor:
        """Of rows (n, inputs), shape (n, outputs)."""
        if 1 < len(rows) <= _MOST_PACKED and self._can_pack and self._packed is None:
            self._packed = _packed(self.plain)
            self._can_pack = self._packed is not None
        if self._packed is None or not 1 < len(rows) <= _MOST_PACKED:
            return linear(rows, self.plain, self.bias)
        product = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001 - it has no public name
        found: Tensor = product(rows, self._packed, self.bias, "none", [], "")
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One layer: attention, then the gated product."""

    before: Tensor
    attend: Matrix
    out: Matrix
    between: Tensor
    gate_up: Matrix
    down: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """A whole model.

    Attributes:
        embedding: Shape (vocabulary, width).
        layers: In order.
        last: Scale of the last norm.
        head: Hidden states to logits.
        frequencies: Of the rotation, shape (head_width / 2,).
        rotation_scale: Of its sines and cosines.
        heads: Of queries.
        key_heads: Of keys and values.
        head_width: Numbers of each.
        epsilon: Of the norms.
    """

    embedding: Tensor
    layers: tuple[Layer, ...]
    last: Tensor
    head: Matrix
    frequencies: Tensor
    rotation_scale: float
    heads: int
    key_heads: int
    head_width: int
    epsilon: float

    @classmethod
    def of(cls, model: Any) -> Self:
        """Those of a transformers model for which `fits` holds; the plain ones are shared."""
        config = model.config.get_text_config()
        inner = model.model
        return cls(
            embedding=inner.embed_tokens.weight.detach(),
            layers=tuple(_layer(each) for each in inner.layers),
            last=inner.norm.weight.detach(),
            head=Matrix.of(model.lm_head),
            frequencies=inner.rotary_emb.inv_freq.detach().float(),
            rotation_scale=float(inner.rotary_emb.attention_scaling),
            heads=config.num_attention_heads,
            key_heads=config.num_key_value_heads,
            head_width=_head_width(config),
            epsilon=float(config.rms_norm_eps),
        )

    @property
    def groups(self) -> int:
        """Heads of queries to each head of keys."""
        return self.heads // self.key_heads

    @property
    def width(self) -> int:
        """Of a hidden state."""
        return int(self.embedding.shape[1])

    @property
    def token_bytes(self) -> int:
        """Bytes of keys and values of one token in all layers."""
        size = self.embedding.element_size()
        return 2 * len(self.layers) * self.key_heads * self.head_width * size


def fits(model: Any) -> bool:
    """Whether a transformers model is of the family, with nothing that is not computed here."""
    config = model.config.get_text_config()
    rotation = getattr(config, "rope_parameters", None) or {}
    return (
        config.model_type in FAMILY
        and rotation.get("rope_type", "default") in ROTATIONS
        and rotation.get("partial_rotary_factor", 1.0) == 1.0
        and config.hidden_act == "silu"
        and not getattr(config, "mlp_bias", False)
        and "sliding_attention" not in (getattr(config, "layer_types", None) or ())
        and (config.model_type != "mistral" or getattr(config, "sliding_window", None) is None)
    )


def _layer(module: Any) -> Layer:
    attention, product = module.self_attn, module.mlp
    return Layer(
        before=module.input_layernorm.weight.detach(),
        attend=Matrix.of(attention.q_proj, attention.k_proj, attention.v_proj),
        out=Matrix.of(attention.o_proj),
        between=module.post_attention_layernorm.weight.detach(),
        gate_up=Matrix.of(product.gate_proj, product.up_proj),
        down=Matrix.of(product.down_proj),
    )


def _head_width(config: Any) -> int:
    given = getattr(config, "head_dim", None)
    return int(given or config.hidden_size // config.num_attention_heads)


def _packed(plain: Tensor) -> Tensor | None:
    """The layout for a few rows; None where this build of the library lacks it."""
    if plain.device.type != "cpu" or plain.dtype not in (torch.float32, torch.bfloat16):
        return None
    try:
        found: Tensor = torch.ops.mkldnn._reorder_linear_weight(  # noqa: SLF001 - no public name
            plain.contiguous(), _PACKED_FOR
        )
    except (AttributeError, RuntimeError):
        return None
    return found
