"""What a reward compares two replies by: what they mean, and how they are written.

Learns nothing; which directions matter is the reward's to learn.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from befit.core.errors import ModelError
from befit.core.protocols import Encoder
from befit.features.style import FEATURES, style_vector


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """The reply's embedding beside its surface style, weighted so that both blocks count.

    An embedding of unit length tells topics and stances apart and hardly sees style; the surface
    features see little else. The style block is divided by the root of its size, so that two
    replies at opposite ends of every feature are as far apart as two opposite embeddings, times
    ``style_weight``.

    Source: survey arXiv:2503.17003 section 4.2 (encoding).

    Attributes:
        encoder: Embeds a reply into a unit vector.
        style_weight: How much the style block counts beside the embedding, >= 0.
    """

    encoder: Encoder
    style_weight: float = 2.0

    @property
    def name(self) -> str:
        """Changes whenever the coordinates do; an artifact learned on others does not fit."""
        features = hashlib.sha256(" ".join(FEATURES).encode()).hexdigest()[:8]
        return f"{self.encoder.name}+style-{features}*{self.style_weight:g}"

    @property
    def width(self) -> int:
        """Length of a vector."""
        return self.encoder.width + len(FEATURES)

    def vectors(self, prompts: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
        """Features of each reply, shape (len(texts), width).

        The prompts are not read: two replies to one prompt share it, so it would cancel.

        Raises:
            ModelError: The encoder gave vectors of another width, or what is no number.
        """
        if not texts:
            return np.empty((0, self.width))
        scale = self.style_weight / np.sqrt(len(FEATURES))
        style = scale * np.stack([style_vector(text) for text in texts])
        meaning = np.asarray(self.encoder.encode(texts), dtype=np.float64)
        if meaning.shape != (len(texts), self.encoder.width) or not np.isfinite(meaning).all():
            raise ModelError(
                f"the encoder {self.encoder.name} gave vectors of another width, or no numbers",
                hint="give an encoder whose vectors are finite and as wide as it says",
                field="encoder",
            )
        return np.hstack([meaning, style])
