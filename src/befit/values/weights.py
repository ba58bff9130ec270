"""The learned value heads as files: weights, calibration, and a card that says what they are.

One linear score a value over the blocks of ``values.reading``, and a calibrated probability that
the reply breaks the value. Heads in the user's cache take precedence over those that ship. A file
that does not match its card, or a card that fits another encoder or other features, is refused.

Source: Platt 1999, "Probabilistic outputs for support vector machines" (slope and offset).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from befit.core.errors import ModelFileError
from befit.core.protocols import Encoder
from befit.features.style import style_vector
from befit.models.cache import cache_dir
from befit.values.corpora import VALUES, Value
from befit.values.reading import Block, Features, Floats, Reading, inside, read

STEM = "heads_v2"  # raise the number when blocks or format change
_PROBE = "However, I think 3 short examples help: e.g. this one! Would you like another?"

# value -> block -> how freely its weights may grow; measured by cross-validation
_HEADS: Mapping[Value, Mapping[Block, float]] = {
    "harmless": {
        "asked": 1.0,
        "asked_words": 0.5,
        "said": 0.2,
        "said_words": 0.2,
        "shape": 0.2,
    },
    "honest": {"said": 1.0, "apart": 1.0, "said_words": 1.0, "shape": 1.0},
    "helpful": {"said": 0.3, "said_words": 0.3, "shape": 0.3},
}
_INSIDE = 0.03  # of hidden states, each of spread 1
FEATURES: tuple[Features, ...] = ("small", "local")


def scales(value: Value, features: Features) -> Mapping[Block, float]:
    """The blocks of a head, and how freely the weights of each may grow."""
    return _HEADS[value] if features == "small" else {**_HEADS[value], "inside": _INSIDE}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsCard:
    """What a file of heads is, and how well it does.

    Attributes:
        version: Of blocks and format.
        encoder: Whose vectors it reads.
        features: "small" reads those alone, "local" also hidden states of a language model.
        seed: It was fitted with.
        sha256: Of the weights file.
        constitution: Version of the thresholds at which the figures were taken.
        data: What it was fitted on: name, value, licence, sha256, rows.
        validated: Rows as of `befit.values.measuring.check`, of folds that were left out.
        figures: "data/method/metric" -> what was measured on what it was not fitted on.
    """

    version: str
    encoder: str
    features: Features
    seed: int
    sha256: str
    constitution: str
    data: tuple[Mapping[str, Any], ...]
    validated: tuple[Mapping[str, Any], ...]
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Linear heads, ready to judge.

    Attributes:
        tensors: "value.block" weights, "value.calibration" (slope, offset), "value.threshold",
            "value.seen" digests.
        card: What they are.
    """

    tensors: Mapping[str, NDArray[Any]]
    card: HeadsCard

    def read(self, encoder: Encoder, prompts: Sequence[str], texts: Sequence[str]) -> Reading:
        """What these heads need of each (prompt, reply).

        Raises:
            MissingExtraError: They need a language model that is not installed.
            ModelFileError: A model does not load.
        """
        return read(encoder, prompts, texts, inside(self.card.features))

    def weights(self, value: Value) -> Mapping[Block, NDArray[Any]]:
        """Of each block of a head, higher is worse."""
        blocks = scales(value, self.card.features)
        return {block: self.tensors[f"{value}.{block}"] for block in blocks}

    def raw(self, value: Value, reading: Reading) -> Floats:
        """The uncalibrated score, higher is worse; shape (n,)."""
        score = np.zeros(len(reading.texts), dtype=np.float32)
        for block, weights in self.weights(value).items():
            score += reading.block(block) @ weights
        return score

    def probability(self, value: Value, reading: Reading) -> Floats:
        """Calibrated probability that each reply breaks the value; shape (n,).

        For "helpful", of which only comparisons are known, it is the probability that a good
        everyday reply would be preferred.
        """
        return np.asarray(1.0 / (1.0 + np.exp(-self.logit(value, reading))))

    def logit(self, value: Value, reading: Reading) -> Floats:
        """Calibrated log-odds that each reply breaks the value; shape (n,)."""
        slope, offset = self.tensors[f"{value}.calibration"]
        return np.asarray(slope * self.raw(value, reading) + offset)

    def threshold(self, value: Value) -> float:
        """The probability from which to refuse, without caution; above 1 refuses nothing."""
        return float(self.tensors[f"{value}.threshold"][0])

    def was_fitted_on(self, value: Value, digest: int) -> bool:
        """Whether a group of that digest was among what the head was fitted on."""
        return bool(np.isin(digest, self.tensors[f"{value}.seen"]))


def heads_at(path: str) -> Heads:
    """Heads from a folder; "" is the user's cache where there are any, else those that ship.

    Raises:
        ModelFileError: The files are missing, damaged, or of another version of the features.
    """
    folder = Path(path) if path else cache_dir() / "heads"
    if path or (folder / f"{STEM}.json").is_file():
        return _cached(folder, _stamp(folder))
    return shipped()


@lru_cache(maxsize=1)
def shipped() -> Heads:
    """The heads that ship with the package.

    Raises:
        ModelFileError: The files are missing, damaged, or of another version of the features.
    """
    with as_file(files("befit.values")) as folder:
        return _read(folder)


def save_heads(
    folder: Path, tensors: Mapping[str, NDArray[Any]], about: Mapping[str, Any]
) -> Heads:
    """Write weights and card; ``about`` is the card's fields without ``version`` and ``sha256``.

    Raises:
        ModelFileError: The folder cannot be written.
    """
    probed: dict[str, Any] = {**tensors, "probe": style_vector(_PROBE)}
    content = save({name: np.ascontiguousarray(array) for name, array in probed.items()})
    card = HeadsCard(version=STEM, sha256=hashlib.sha256(content).hexdigest(), **about)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{STEM}.safetensors").write_bytes(content)
        (folder / f"{STEM}.json").write_text(json.dumps(asdict(card), indent=1) + "\n", "utf-8")
    except OSError as error:
        raise ModelFileError(
            f"the heads cannot be written to {folder}: {error.strerror or error}",
            hint="give a folder that can be written, or set BEFIT_CACHE",
        ) from error
    return Heads(probed, card)


def _stamp(folder: Path) -> int:
    try:
        return (folder / f"{STEM}.json").stat().st_mtime_ns
    except OSError as error:
        raise _broken(f"{STEM}.json cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=4)
def _cached(folder: Path, _stamp: int) -> Heads:
    return _read(folder)


def _read(folder: Path) -> Heads:
    try:
        content = (folder / f"{STEM}.safetensors").read_bytes()
        fields = json.loads((folder / f"{STEM}.json").read_text("utf-8"))
        lists = {name: tuple(fields[name]) for name in ("data", "validated")}
        card = HeadsCard(**{**fields, **lists})
        tensors = load(content)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise _broken(f"the files do not read: {error}") from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise _broken("the weights are not those of the card")
    if not np.allclose(tensors["probe"], style_vector(_PROBE), atol=1e-6):
        raise _broken("they were fitted on another version of the style features")
    lacking = [name for name in _names(card.features) if name not in tensors]
    if lacking:
        raise _broken(f"they lack {lacking[0]}")
    return Heads(
        {
            name: array if array.dtype == np.uint32 else array.astype(np.float32)
            for name, array in tensors.items()
        },
        card,
    )


def _names(features: Features) -> Iterator[str]:
    if features not in FEATURES:
        raise _broken(f"they read features that are not known here: {features}")
    for value in VALUES:
        for part in (*scales(value, features), "calibration", "threshold", "seen"):
            yield f"{value}.{part}"


def _broken(reason: str) -> ModelFileError:
    return ModelFileError(
        f"the value heads cannot be used: {reason}",
        hint="fit them again with `befit values fit`, or install the package again",
        field="path",
    )
