"""A language model that reads: how likely a text is after an opening, and what it answers.

Many texts share one opening, whose keys and values are computed once. Only the first tokens of a
text are read. Nothing is generated, and nothing is learned.

Found when checking: in bfloat16 a processor that has it reads three times as fast as in single
precision, and the log-likelihoods differ by about a hundredth of a nat per token.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch
from transformers import DynamicCache

from befit.align.train.episodic import one_thread
from befit.models.causal import CausalModel, Precision, batches, causal

_AT_ONCE = 1024  # tokens, padding included
_GAP = "\u241e"  # where a message goes in a template; only the template is searched for it


class Reads(Protocol):
    """What the methods that ask a language model need of it."""

    def __hash__(self) -> int: ...
    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        """Mean log-likelihood of each text as the reply to an opening, in nats per token."""

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        """Log-odds of the first answer over the second, after the opening, a text, the closing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalReader:
    """A model in this process.

    Attributes:
        model: A name in the catalogue, a transformers folder, or a ``.gguf`` file.
        most_tokens: Of a text that are read.
        precision: In which it computes.
    """

    model: str = "smollm2-135m-instruct"
    most_tokens: int = 32
    precision: Precision = "bfloat16"

    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        """0 for a text without tokens.

        Raises:
            ModelFileError: The model cannot be loaded.
        """
        loaded = _Mind(own=causal(self.model, precision=self.precision))
        before, _ = loaded.around(opening, "")
        found = [0.0] * len(texts)
        for at, ids, hidden in loaded.read(before, [self._ids(loaded, text) for text in texts]):
            if ids:
                chances = torch.log_softmax(loaded.logits(hidden[: len(ids)]), dim=1)
                found[at] = float(chances[range(len(ids)), ids].double().mean())
        return found

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        """Of the first token of each answer.

        Raises:
            ModelFileError: The model cannot be loaded.
        """
        loaded = _Mind(own=causal(self.model, precision=self.precision))
        before, after = loaded.around(opening, closing)
        one, other = (loaded.vector(loaded.ids(answer)[0]) for answer in answers)
        rows = [[*self._ids(loaded, text), *after] for text in texts]
        found = [0.0] * len(texts)
        for at, ids, hidden in loaded.read(before, rows):
            # as doubles: the logits of two words differ by less than they are rounded by
            found[at] = float(hidden[len(ids)].double() @ (one - other))
        return found

    def _ids(self, loaded: "_Mind", text: str) -> list[int]:
        # a token is at least a letter, and seldom more than sixteen
        return loaded.ids(text[: 16 * self.most_tokens])[: self.most_tokens]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mind:
    """A loaded model that reads."""

    own: CausalModel

    def ids(self, text: str) -> list[int]:
        """Of plain text: what looks like a control token is spelled out."""
        found: list[int] = self.own.tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, verbose=False
        ).input_ids
        return found

    def around(self, opening: str, closing: str) -> tuple[list[int], list[int]]:
        """What stands before and after a text; without a closing it is the reply itself."""
        if self.own.tokenizer.chat_template is None:
            written = f"{_GAP}\n"
        else:
            written = self.own.tokenizer.apply_chat_template(
                [{"role": "user", "content": _GAP}], tokenize=False, add_generation_prompt=True
            )
        head, _, tail = written.partition(_GAP)
        after = self._marked(tail)
        if not closing:
            return [*self._marked(head), *self.ids(opening), *after], []
        return [*self._marked(head), *self.ids(opening)], [*self.ids(closing), *after]

    def _marked(self, template: str) -> list[int]:
        found: list[int] = self.own.tokenizer(template, add_special_tokens=False).input_ids
        return found

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Of every token, shape (n, vocabulary)."""
        with torch.inference_mode():
            found: torch.Tensor = self.own.model.get_output_embeddings()(hidden).float()
        return found

    def vector(self, token: int) -> torch.Tensor:
        """What a hidden state is multiplied by for the logit of a token."""
        found: torch.Tensor = self.own.model.get_output_embeddings().weight[token].detach().double()
        return found

    def read(
        self, before: list[int], rows: Sequence[list[int]]
    ) -> list[tuple[int, list[int], torch.Tensor]]:
        """For each row: its place, its tokens, and the hidden states before, between and after."""
        found = []
        with one_thread(), torch.inference_mode():
            opening = _opened(self, tuple(before[:-1]))
            for some in batches([len(row) + 1 for row in rows], _AT_ONCE):
                longest = max(len(rows[at]) for at in some)
                # causal: what pads a row on the right is seen by nothing that counts
                ids = [[before[-1], *rows[at], *[0] * (longest - len(rows[at]))] for at in some]
                cache = deepcopy(opening)
                if before[:-1]:
                    cache.batch_repeat_interleave(len(some))
                hidden = self.own.model.model(
                    input_ids=torch.tensor(ids), past_key_values=cache, use_cache=True
                ).last_hidden_state
                found += [(at, rows[at], hidden[place]) for place, at in enumerate(some)]
        return found


@lru_cache(maxsize=1)  # a judge asks one question after the other about one person
def _opened(loaded: _Mind, before: tuple[int, ...]) -> DynamicCache:
    """Keys and values of an opening; to be copied, since reading on changes them."""
    cache = DynamicCache(config=loaded.own.model.config)
    if before:
        read = loaded.own.model.model
        read(input_ids=torch.tensor([before]), past_key_values=cache, use_cache=True)
    return cache
