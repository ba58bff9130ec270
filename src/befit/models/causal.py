"""Loads a causal language model into this process, once: from the catalogue, a folder or a GGUF.

Everything here that reads or speaks with a local model shares what is loaded. It generates nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Literal

from befit.core.errors import ModelFileError
from befit.core.registry import missing_extra
from befit.models.prepare import resolve

try:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

Precision = Literal["float32", "bfloat16"]
_loading = Lock()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CausalModel:
    """A model and its tokenizer in memory.

    Attributes:
        model: A transformers model, ready to answer.
        tokenizer: Its tokenizer.
        context: Tokens that it can read.
        ends: Tokens that end a reply.
    """

    model: Any
    tokenizer: Any
    context: int
    ends: frozenset[int]


def causal(name: str, *, device: str = "cpu", precision: Precision = "float32") -> CausalModel:
    """The model of that name; loaded on the first call, also where many threads ask at once.

    Args:
        name: A name in the catalogue, a transformers folder, or a ``.gguf`` file.
        device: Where it runs: "cpu", "cuda".
        precision: In which it computes.

    Raises:
        ModelFileError: It cannot be loaded.
    """
    with _loading:
        return _loaded(name, device, precision)


def forget_loaded() -> None:
    """Let go of every model that is loaded."""
    with _loading:
        _loaded.cache_clear()


@lru_cache(maxsize=2)
def _loaded(name: str, device: str, precision: Precision) -> CausalModel:
    folder = resolve(name)
    bars: Any = transformers_logging  # the library has no types
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, precision),
            local_files_only=True,
            output_loading_info=True,
        )
        model, report = loaded
    except Exception as error:  # whatever the library and its readers raise for a damaged folder
        raise _unloadable(name, str(error)) from error
    finally:
        if shown:
            bars.enable_progress_bar()
    if missing := sorted(report["missing_keys"]):
        # transformers would fill them with random numbers
        raise _unloadable(name, f"it lacks {missing[0]}")
    ends = model.generation_config.eos_token_id
    return CausalModel(
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        context=model.config.get_text_config().max_position_embeddings,
        ends=frozenset(ends if isinstance(ends, list) else [ends]) - {None},
    )


def batches(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Rows of like size together, each batch within so many tokens with its padding.

    Args:
        sizes: Tokens of each row.
        most: Of a batch; a longer row is a batch of its own.
    """
    batch: list[int] = []
    for row in sorted(range(len(sizes)), key=lambda row: sizes[row]):
        if batch and (len(batch) + 1) * sizes[row] > most:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _unloadable(name: str, why: str) -> ModelFileError:
    return ModelFileError(
        f"the model {name} does not load: {why}",
        hint="befit models verifies the embedded ones; any other must be a transformers folder",
        field="model",
    )
