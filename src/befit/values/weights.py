"""The learned value heads as files: weights, calibration, and a card that says what they are.

One linear score a value over the blocks of ``values.reading``, and a calibrated probability that
the reply breaks the value. Heads in the user's cache take precedence over those that ship. A file
that does not match its card, or a card that fits another encoder or other features, is refused.

Source: Platt 1999, "Probabilistic outputs for support vector machines" (slope and offset).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
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
from befit.features.style import style_vector
from befit.models.cache import cache_dir
from befit.values.corpora import VALUES, Value
from befit.values.reading import Block, Floats, Reading

STEM = "heads_v1"  # raise the number when blocks or format change
_PROBE = "However, I think 3 short examples help: e.g. this one! Would you like another?"

# value -> block -> how freely its weights may grow; measured by cross-validation
HEADS: Mapping[Value, Mapping[Block, float]] = {
    "harmless": {
        "asked": 0.5,
        "asked_words": 0.5,
        "said": 0.3,
        "said_words": 0.3,
        "shape": 0.3,
    },
    "honest": {"said": 1.0, "apart": 1.0, "said_words": 1.0, "shape": 1.0},
    "helpful": {"said": 0.3, "said_words": 0.3, "shape": 0.3},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsCard:
    """What a file of heads is, and how well it does.

    Attributes:
        version: Of blocks and format.
        encoder: Whose vectors it reads.
        seed: It was fitted with.
        sha256: Of the weights file.
        constitution: Version of the thresholds at which the figures were taken.
        data: What it was fitted on: name, value, licence, sha256, rows.
        figures: "data/method/metric" -> what was measured on what it was not fitted on.
    """

    version: str
    encoder: str
    seed: int
    sha256: str
    constitution: str
    data: tuple[Mapping[str, Any], ...]
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Linear heads, ready to judge.

    Attributes:
        tensors: "value.block" weights, "value.calibration" (slope, offset), "value.seen"
            digests.
        card: What they are.
    """

    tensors: Mapping[str, NDArray[Any]]
    card: HeadsCard

    def raw(self, value: Value, reading: Reading) -> Floats:
        """The uncalibrated score, higher is worse; shape (n,)."""
        score = np.zeros(len(reading.texts), dtype=np.float32)
        for block in HEADS[value]:
            score += reading.block(block) @ self.tensors[f"{value}.{block}"]
        return score

    def probability(self, value: Value, reading: Reading) -> Floats:
        """Calibrated probability that each reply breaks the value; shape (n,).

        For "helpful", of which only comparisons are known, it is the probability that a good
        everyday reply would be preferred.
        """
        slope, offset = self.tensors[f"{value}.calibration"]
        return np.asarray(1.0 / (1.0 + np.exp(-(slope * self.raw(value, reading) + offset))))

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
        card = HeadsCard(**{**fields, "data": tuple(fields["data"])})
        tensors = load(content)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise _broken(f"the files do not read: {error}") from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise _broken("the weights are not those of the card")
    if not np.allclose(tensors["probe"], style_vector(_PROBE), atol=1e-6):
        raise _broken("they were fitted on another version of the style features")
    lacking = [name for name in _names() if name not in tensors]
    if lacking:
        raise _broken(f"they lack {lacking[0]}")
    return Heads(
        {
            name: array if array.dtype == np.uint32 else array.astype(np.float32)
            for name, array in tensors.items()
        },
        card,
    )


def _names() -> Sequence[str]:
    kinds = [f"{value}.{block}" for value in VALUES for block in HEADS[value]]
    return kinds + [f"{value}.{part}" for value in VALUES for part in ("calibration", "seen")]


def _broken(reason: str) -> ModelFileError:
    return ModelFileError(
        f"the value heads cannot be used: {reason}",
        hint="fit them again with `befit values fit`, or install the package again",
        field="path",
    )
