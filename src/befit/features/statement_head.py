"""The trained head that tells an own, lasting preference from everything else people write.

A logistic score over the sentence's embedding, its cues, and whether the grammar of
``features.statements`` reads a stance in it; and a second that tells "for" from "against". Fitted
by ``features.fitting_statements`` on the sentences of ``sayings.tsv``, in English. Files that do
not match their card are refused.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from befit.core.errors import ModelFileError
from befit.core.preference import PreferenceSpace
from befit.features.cues import CUES, cue_vector
from befit.features.encoder import MiniLM
from befit.features.statements import read_statement

STEM = "statement_head_v1"  # raise the number when the inputs or the format change
EMBEDDING_WEIGHT = 3.0  # of the unit embedding beside cues of 0 or 1, by cross-validation

_TOPICS = PreferenceSpace("topics", "1", ())


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which a sentence counts as a statement.

    Attributes:
        framed: Where a frame of ``features.stance`` says what it is about.
        unframed: Where none does.
    """

    framed: float
    unframed: float


@dataclass(frozen=True, slots=True, eq=False)
class StatementHead:
    """Weights, ready to judge.

    Attributes:
        weights: Of embedding and cues, shape (2, width): is it a statement, and is it for.
        bias: Added to the scores, shape (2,).
        least: From which probability a sentence counts as a statement.
        encoder: Name of the encoder that it was fitted on.
        figures: What was measured on sentences that it was not fitted on.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    least: Thresholds
    encoder: str
    figures: Mapping[str, float]

    def judge(self, sentences: Sequence[str]) -> list[tuple[float, float]]:
        """Probabilities, by sentence: its writer states a preference of their own; is for it."""
        if not sentences:
            return []
        scores = inputs(sentences, MiniLM()) @ self.weights.T + self.bias
        return [(float(own), float(liked)) for own, liked in 1.0 / (1.0 + np.exp(-scores))]


def inputs(sentences: Sequence[str], encoder: MiniLM) -> NDArray[np.float64]:
    """What the head reads, shape (len(sentences), encoder.width + len(CUES) + 1)."""
    embedded = np.asarray(encoder.encode(sentences), dtype=np.float64)
    cues = np.stack([cue_vector(each) for each in sentences])
    read = np.array([[float(bool(read_statement(_TOPICS, each)))] for each in sentences])
    return np.hstack([EMBEDDING_WEIGHT * embedded, cues, read])


def inputs_version() -> str:
    """Changes whenever the meaning of the inputs does."""
    return hashlib.sha256(f"{EMBEDDING_WEIGHT} {' '.join(CUES)} read".encode()).hexdigest()[:12]


@lru_cache(maxsize=1)
def shipped_head() -> StatementHead:
    """The head that ships with the package.

    Raises:
        ModelFileError: Its files are missing, damaged, or of another version of the inputs.
    """
    folder = files("befit.features")
    try:
        card = json.loads(folder.joinpath(f"{STEM}.json").read_text("utf-8"))
        raw = folder.joinpath(f"{STEM}.safetensors").read_bytes()
        tensors = load(raw)
        fits = hashlib.sha256(raw).hexdigest() == card["sha256"]
        if not fits or card["inputs"] != inputs_version():
            raise ModelFileError(
                "the statement head does not match its card",
                hint="install befit again, or fit the head anew",
                field=STEM,
            )
        return StatementHead(
            weights=tensors["weights"].astype(np.float64),
            bias=tensors["bias"].astype(np.float64),
            least=Thresholds(float(card["framed"]), float(card["unframed"])),
            encoder=str(card["encoder"]),
            figures=card["figures"],
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelFileError(
            f"the statement head does not read: {error}",
            hint="install befit again",
            field=STEM,
        ) from error
