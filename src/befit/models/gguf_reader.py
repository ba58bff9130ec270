"""Read a GGUF file of the llama family as what a transformers folder holds.

Configuration, float32 weights under transformers' names, and the tokenizer. The file stores the
rows of the query and key projections interleaved for its own rotary code; here they are put back.
Whatever the family, the rotary scaling or the tokenizer that this module was not written for is an
error, never a guess.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from befit.core.errors import ModelFileError

FAMILIES = ("llama",)

_CONTROL, _USER_DEFINED = 3, 4  # values of tokenizer.ggml.token_type
_TENSORS = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, kw_only=True)
class GgufModel:
    """One GGUF file of a supported family, opened lazily.

    Attributes:
        path: The file.
    """

    path: Path

    @cached_property
    def _reader(self) -> Any:
        try:
            return gguf.GGUFReader(self.path)
        except (OSError, ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
            raise ModelFileError(
                f"{self.path.name} does not read as GGUF: {error}",
                hint="check the file; a download that was cut short looks like this",
                field="model",
            ) from error

    def _value(self, key: str, default: Any = None) -> Any:
        found = self._reader.fields.get(key)
        return default if found is None else found.contents()

    def _needed(self, key: str) -> Any:
        if (found := self._value(key)) is None:
            raise self._unsupported(f"lacks {key}")
        return found

    def _unsupported(self, what: str) -> ModelFileError:
        return ModelFileError(
            f"{self.path.name} {what}",
            hint=f"GGUF files of the {' and '.join(FAMILIES)} family with a byte-level tokenizer "
            "are read; give any other model as a transformers folder or through a server",
            field="model",
        )

    def config(self) -> dict[str, Any]:
        """What ``config.json`` says of this model.

        Raises:
            ModelFileError: The file does not read, or is of a family that is not supported.
        """
        family = self._value("general.architecture", "unnamed")
        if family not in FAMILIES:
            raise self._unsupported(f"is of the family {family!r}, which is not supported")
        scaling = self._value("llama.rope.scaling.type", "none")
        if scaling != "none":
            raise self._unsupported(f"scales its rotary positions ({scaling})")
        heads = self._needed("llama.attention.head_count")
        width = self._needed("llama.embedding_length")
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "attention_bias": False,
            "bos_token_id": self._value("tokenizer.ggml.bos_token_id"),
            "eos_token_id": self._value("tokenizer.ggml.eos_token_id"),
            "pad_token_id": self._value("tokenizer.ggml.padding_token_id"),
            "dtype": "float32",
            "head_dim": self._value("llama.rope.dimension_count", width // heads),
            "hidden_act": "silu",
            "hidden_size": width,
            "intermediate_size": self._needed("llama.feed_forward_length"),
            "max_position_embeddings": self._needed("llama.context_length"),
            "mlp_bias": False,
            "num_attention_heads": heads,
            "num_hidden_layers": self._needed("llama.block_count"),
            "num_key_value_heads": self._value("llama.attention.head_count_kv", heads),
            "rms_norm_eps": self._needed("llama.attention.layer_norm_rms_epsilon"),
            "rope_theta": self._value("llama.rope.freq_base", 10000.0),
            "tie_word_embeddings": all(each.name != "output.weight" for each in self._tensors()),
            "vocab_size": len(self._needed("tokenizer.ggml.tokens")),
        }

    def _tensors(self) -> list[Any]:
        return list(self._reader.tensors)

    def tensors(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Each weight under transformers' name, dequantized to float32.

        Raises:
            ModelFileError: A tensor is unknown, or its quantization is.
        """
        config = self.config()
        heads = {
            "attn_q": config["num_attention_heads"],
            "attn_k": config["num_key_value_heads"],
        }
        for tensor in self._tensors():
            match = re.fullmatch(r"(?:blk\.(\d+)\.)?(\w+)\.weight", tensor.name)
            if match is None or match[2] not in _TENSORS:
                raise self._unsupported(f"holds a tensor that is not known here: {tensor.name}")
            layer, part = match[1], match[2]
            try:
                array = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            except NotImplementedError as error:
                raise self._unsupported(
                    f"stores {tensor.name} as {tensor.tensor_type.name}, which is not read"
                ) from error
            if part in heads:
                array = _unpermuted(array, heads[part])
            prefix = "" if layer is None else f"model.layers.{layer}."
            yield f"{prefix}{_TENSORS[part]}.weight", np.ascontiguousarray(array, dtype=np.float32)

    def tokenizer(self) -> Tokenizer:
        """The tokenizer that the file describes.

        Raises:
            ModelFileError: It is of a kind that is not supported.
        """
        kind = self._needed("tokenizer.ggml.model")
        if kind != "gpt2":
            raise self._unsupported(f"has a tokenizer of the kind {kind!r}, which is not supported")
        tokens: list[str] = self._needed("tokenizer.ggml.tokens")
        merges = [tuple(each.split(" ")) for each in self._needed("tokenizer.ggml.merges")]
        tokenizer = Tokenizer(
            models.BPE(
                vocab={token: index for index, token in enumerate(tokens)},
                merges=merges,
                fuse_unk=False,
            )
        )
        tokenizer.pre_tokenizer = self._split()
        tokenizer.decoder = decoders.ByteLevel()
        kinds: list[int] = self._value("tokenizer.ggml.token_type", [])
        for token, kind_of in zip(tokens, kinds, strict=False):
            if kind_of in {_CONTROL, _USER_DEFINED}:
                special = kind_of == _CONTROL
                added = AddedToken(token, normalized=False, special=special)
                (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([added])
        if self._value("tokenizer.ggml.add_bos_token", False):  # noqa: FBT003
            first = self._needed("tokenizer.ggml.bos_token_id")
            tokenizer.post_processor = processors.TemplateProcessing(
                single=f"{tokens[first]} $A", special_tokens=[(tokens[first], first)]
            )
        return tokenizer

    def _split(self) -> Any:
        kind = self._value("tokenizer.ggml.pre", "default")
        match kind:
            case "smollm":  # digits one by one, also where a space stands before them
                return pre_tokenizers.Sequence(
                    [
                        pre_tokenizers.Digits(individual_digits=True),
                        pre_tokenizers.ByteLevel(add_prefix_space=False),
                    ]
                )
            case "llama-bpe" | "llama3" | "llama-v3":
                return pre_tokenizers.Sequence(
                    [
                        pre_tokenizers.Split(Regex(_LLAMA3_SPLIT), behavior="isolated"),
                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                    ]
                )
            case "default" | "gpt-2":
                return pre_tokenizers.ByteLevel(add_prefix_space=False)
        raise self._unsupported(f"splits text in a way that is not supported ({kind})")

    def tokenizer_config(self) -> dict[str, Any]:
        """What ``tokenizer_config.json`` says: the special tokens and the chat template."""
        tokens: list[str] = self._needed("tokenizer.ggml.tokens")
        config: dict[str, Any] = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            "model_max_length": self._needed("llama.context_length"),
        }
        for name, key in (
            ("bos_token", "bos"),
            ("eos_token", "eos"),
            ("unk_token", "unknown"),
            ("pad_token", "padding"),
        ):
            if (index := self._value(f"tokenizer.ggml.{key}_token_id")) is not None:
                config[name] = tokens[index]
        if template := self._value("tokenizer.chat_template"):
            config["chat_template"] = template
        return config

    def documents(self) -> Mapping[str, str]:
        """The text files of the transformers folder, by name.

        Raises:
            ModelFileError: The file is not supported.
        """
        config = self.config()
        ends = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
        return {
            "config.json": json.dumps(config, indent=1),
            "generation_config.json": json.dumps(ends, indent=1),
            "tokenizer.json": self.tokenizer().to_str(),
            "tokenizer_config.json": json.dumps(self.tokenizer_config(), indent=1),
        }


def _unpermuted(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows of a rotary projection, from interleaved pairs back to two halves per head."""
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, half, 2, -1).swapaxes(1, 2).reshape(rows.shape)
