"""A transformers model small enough to make in a moment."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

SaveTiny = Callable[..., Path]

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="session")
def save_tiny() -> SaveTiny:
    """Writes two random layers and a byte tokenizer as a transformers folder.

    ``before`` stands before the chat template; None writes no template.
    """
    return _save


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, save_tiny: SaveTiny) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


def _save(folder: Path, before: str | None = "") -> Path:
    import torch  # noqa: PLC0415 - an extra
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|end|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: i for i, token in enumerate([*special, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in special])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(vocabulary),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=2048,
                initializer_range=0.3,
                eos_token_id=2,
                bos_token_id=1,
                pad_token_id=0,
            )
        )
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "bos_token": "<|im_start|>",
        "pad_token": "<|end|>",
        "chat_template": "" if before is None else before + TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder
