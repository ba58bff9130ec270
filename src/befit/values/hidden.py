"""What the embedded language model makes of a (prompt, reply): its hidden states, half way up.

A conversation is written by the model's own template and read once; layers above the one that is
kept are not computed. Nothing is generated and nothing is learned.

Found when checking: on the development data, grouped cross-validation, the states of layer 16 of 30
beside the default blocks lift the harmless pairs of hh-rlhf from .635 to .666 and the contrast
requests from AUROC .925 to .971; layers 8 and 12 lift less, 20 about as much.

Source: Alain and Bengio 2016, arXiv:1610.01644 (linear probes of intermediate layers).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from befit.models.prepare import resolve

Floats = NDArray[np.float32]

MODEL = "smollm2-135m-instruct"
_AT_ONCE = 1024  # tokens, padding included
_MOST = 96  # tokens: the end of the prompt, the beginning of the reply
_LETTERS = 16  # a token seldom has more
_GAPS = ("\u241e", "\u241f")  # where prompt and reply go in a template
_loading = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenStates:
    """Reads each (prompt, reply) as one conversation.

    Attributes:
        model: A name in the catalogue, a transformers folder, or a ``.gguf`` file.
        layer: Whose output is kept, from 1.
    """

    model: str = MODEL
    layer: int = 16

    def __call__(self, prompts: Sequence[str], texts: Sequence[str]) -> Floats:
        """Mean over the reply, its end, mean over the prompt; shape (n, 3 x the model's width).

        Raises:
            MissingExtraError: The model's package is not installed.
            ModelFileError: The model does not load.
        """
        with _loading:
            loaded = _load(self.model, self.layer)
        rows = [loaded.row(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        found = np.zeros((len(rows), 3 * loaded.model.config.hidden_size), dtype=np.float32)
        for some in _batches([len(ids) for ids, _, _ in rows]):
            states = loaded.states([rows[at][0] for at in some])
            for at, state in zip(some, states, strict=True):
                _, prompt, reply = rows[at]
                parts = (state[reply].mean(0), state[reply][-1], state[prompt].mean(0))
                found[at] = torch.cat(parts).numpy()
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Loaded:
    """A model up to the layer that is kept, and its template as tokens."""

    model: Any
    tokenizer: Any
    before: list[int]
    between: list[int]
    after: list[int]

    def row(self, prompt: str, text: str) -> tuple[list[int], slice, slice]:
        """Tokens, where the prompt stands with its mark, and where the reply with its own."""
        asked = self._ids(prompt[-_LETTERS * _MOST :])[-_MOST:]
        said = self._ids(text[: _LETTERS * _MOST])[:_MOST]
        ids = [*self.before, *asked, *self.between, *said, *self.after]
        start = len(self.before) + len(asked) + len(self.between)
        return ids, slice(0, start), slice(start, len(ids))

    def _ids(self, text: str) -> list[int]:
        # what looks like a control token is spelled out
        found: list[int] = self.tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, verbose=False
        ).input_ids
        return found

    def states(self, rows: Sequence[list[int]]) -> list[torch.Tensor]:
        """Of every token of each row, shape (tokens, width)."""
        width = max(map(len, rows))
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        with torch.inference_mode():
            read = self.model(input_ids=ids, attention_mask=mask, use_cache=False)
        states = read.last_hidden_state.float()
        return [states[number, : len(row)] for number, row in enumerate(rows)]


@lru_cache(maxsize=1)
def _load(model: str, layer: int) -> _Loaded:
    folder = resolve(model)
    quiet: Any = transformers_logging
    quiet.disable_progress_bar()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    read = AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval()
    read.layers = read.layers[:layer]
    read.norm = torch.nn.Identity()  # the layer's own output, not the normed one of the top
    turns = ({"role": "user", "content": _GAPS[0]}, {"role": "assistant", "content": _GAPS[1]})
    written = tokenizer.apply_chat_template(list(turns), tokenize=False)
    head, _, rest = written.partition(_GAPS[0])
    middle, _, tail = rest.partition(_GAPS[1])
    before, between, after = (
        tokenizer(part, add_special_tokens=False).input_ids for part in (head, middle, tail.strip())
    )
    return _Loaded(model=read, tokenizer=tokenizer, before=before, between=between, after=after)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of like length together, at most so many tokens with their padding."""
    batch: list[int] = []
    for at in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[at] > _AT_ONCE:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
