"""Embeds texts by what a local language model makes of them: the hidden states of a middle layer.

A text is the mean of its tokens' states, less what all texts share, as a unit vector. Slower than
a small sentence encoder, and wider; what it sees more of is how a text goes on and is written.

Source: hidden states as frozen features of rewards, e.g. LoRe arXiv:2504.14439 section 4 and P-TTT;
the middle layers as the most telling, Skean et al. 2025, arXiv:2502.02013.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from befit.core.errors import InputError
from befit.core.registry import missing_extra
from befit.models.causal import CausalModel, Precision, batches, causal

try:
    import torch
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

Floats = NDArray[np.float32]

_AT_ONCE = 2048  # tokens, padding included
_EMPTY = "\n"  # what stands for a text without tokens
_EVERYDAY = (
    "The train leaves at nine, so we should be at the station a little earlier.",
    "I have never liked that film, but my sister watches it every winter.",
    "To make the soup, fry the onions first, then add water, salt and two potatoes.",
    "Can you tell me how far it is from the hotel to the old bridge?",
    "Prices rose by three per cent last year; wages did not.",
    "First check that the cable is plugged in. Then restart the computer and try again.",
    "She laughed, put down the book, and asked whether anybody wanted tea.",
    "In 1969 two people walked on the Moon while a third waited in orbit.",
    "Thank you for your message! I am sorry to hear that the order has not arrived yet.",
    "def area(width, height):\n    return width * height",
    "No, I do not think so. The evidence is weak and the sample was small.",
    "Dear Sir or Madam, I am writing to apply for the position advertised on your website.",
    "lol that was the best game ever, we should play again tomorrow",
    "The heart pumps blood through the body about a hundred thousand times a day.",
    "- milk\n- bread\n- six eggs\n- something sweet for the children",
    "It rained all night, and in the morning the garden was full of snails.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenStates:
    """An encoder: the mean hidden state of a text.

    Attributes:
        model: A name in the catalogue, a transformers folder, or a ``.gguf`` file.
        depth: Which layer, as a share of all, in (0, 1].
        most_tokens: Of a text that are read.
        precision: In which it computes; in bfloat16, faster, a vector depends a little on what
            is read beside it.

    Raises:
        InputError: An option is out of range.
    """

    model: str = "smollm2-135m-instruct"
    depth: float = 0.5
    most_tokens: int = 256
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        if not 0.0 < self.depth <= 1.0:
            raise InputError(
                f"depth is {self.depth}", hint="give a share of the layers, in (0, 1]",
                field="depth",
            )  # fmt: skip
        if self.most_tokens < 1:
            raise InputError(
                f"most_tokens is {self.most_tokens}", hint="give 1 or more", field="most_tokens"
            )

    @property
    def name(self) -> str:
        """Changes whenever the coordinates do."""
        return f"hidden-{self.model}-{self.depth:g}-{self.most_tokens}-{self.precision}"

    @property
    def width(self) -> int:
        """Numbers per text; loads the model."""
        return int(self._loaded().model.config.get_text_config().hidden_size)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), width).

        Raises:
            ModelFileError: The model cannot be loaded.
        """
        loaded = self._loaded()
        found: Floats = np.zeros((len(texts), self.width), dtype=np.float32)
        rows = [self.ids(loaded, text) for text in texts]
        for some in batches([len(row) for row in rows], _AT_ONCE):
            found[some] = self._means(loaded, [rows[at] for at in some])
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return found

    def _loaded(self) -> CausalModel:
        return causal(self.model, precision=self.precision)

    def ids(self, loaded: CausalModel, text: str) -> list[int]:
        """Tokens of a text that are read; at least one."""
        # a token is at least a letter, and seldom more than sixteen
        read = loaded.tokenizer(
            text[: 16 * self.most_tokens] or _EMPTY,
            add_special_tokens=False, split_special_tokens=True, verbose=False,
        )  # fmt: skip
        ids: list[int] = read.input_ids[: self.most_tokens]
        return ids or self.ids(loaded, _EMPTY)

    def _means(self, loaded: CausalModel, rows: Sequence[list[int]]) -> Floats:
        states, kept = self.states(loaded, rows)
        weights = kept[..., None].float()
        means: Floats = ((states * weights).sum(dim=1) / weights.sum(dim=1)).numpy()
        centre, spread = _usual(self)
        found: Floats = (means - centre) / spread
        return found

    def states(
        self, loaded: CausalModel, rows: Sequence[list[int]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """States of the layer, shape (n, tokens, width), and which of them count."""
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        sizes = torch.tensor([len(row) for row in rows])
        kept = torch.arange(longest)[None] < sizes[:, None]
        with torch.inference_mode():
            layers = loaded.model.model(
                input_ids=ids, attention_mask=kept.long(), output_hidden_states=True
            ).hidden_states
        states = layers[max(1, round(self.depth * (len(layers) - 1)))].float()
        # the first token draws the attention of all others and says little of the text
        kept[:, 0] = sizes == 1
        return states, kept


@lru_cache(maxsize=4)
def _usual(encoder: HiddenStates) -> tuple[Floats, Floats]:
    """Mean and spread of the states of everyday tokens: all texts share them, and some are huge."""
    loaded = causal(encoder.model, precision=encoder.precision)
    rows = [encoder.ids(loaded, text) for text in _EVERYDAY]
    states, kept = encoder.states(loaded, rows)
    tokens: Floats = states[kept].numpy()
    return tokens.mean(axis=0), tokens.std(axis=0) + 1e-6
