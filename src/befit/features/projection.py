"""From a text to positions on the dimensions of a space, each with its measured error.

`SurfaceProjector` reads what can be counted (``features.style``); how far one text of n words lies
from its author's usual position was measured on real authors, and enters as noise.
`WishProjector` reads from the same how its author may want to be answered.
``features.anchors`` compares meanings and ``features.asked_projection`` asks a language model;
`Projectors` puts several together. A dimension that a text says nothing about is left out.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Protocol, runtime_checkable

from befit.core.errors import ModelFileError
from befit.core.preference import PreferenceSpace
from befit.features.style import measure

CARD = "projection_v1.json"  # raise the number when a projector's scores change

#: Dimension -> position in [-1, 1], and the standard deviation of its error, > 0.
Projection = Mapping[str, tuple[float, float]]

_FEWEST_WORDS = 5  # a shorter text has no style


@runtime_checkable
class Projector(Protocol):
    """Reads positions from a text; what it cannot tell is left out."""

    def project(self, text: str) -> Projection: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceProjector:
    """Positions by measurable features, for the dimensions that name one.

    Attributes:
        space: The dimensions.
    """

    space: PreferenceSpace

    def project(self, text: str) -> Projection:
        """Every dimension that has a feature; nothing where the text has under five words.

        Raises:
            ModelFileError: The measured errors do not read.
        """
        words = len(text.split())
        if words < _FEWEST_WORDS:
            return {}
        measured, errors = measure(text), card()["surface"]
        return {
            d.name: (measured[d.feature], _error(errors[d.feature], words))
            for d in self.space.dimensions
            if d.feature in measured and not d.universal
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WishProjector:
    """How one may want to be answered, from how one writes oneself: as far from what is usual.

    A text without a list says nothing about lists, since few texts have one; so it is the distance
    from the mean of other authors that is read, and what is within one error of it is left out.

    Attributes:
        space: The dimensions.
        wish: How far what one wants to read lies from how one writes, as a standard deviation > 0.
            On the askers of Stack Exchange (294 choices of 46 people) the two go together too
            weakly to be measured, so that it is as wide as the prior.
    """

    space: PreferenceSpace
    wish: float = 1.0

    def project(self, text: str) -> Projection:
        """The dimensions on which the text is not as others are; none under five words.

        Raises:
            ModelFileError: The measured errors do not read.
        """
        features = {d.name: d.feature for d in self.space.dimensions}
        usual = card()["surface"]
        found = {}
        for name, (value, error) in SurfaceProjector(space=self.space).project(text).items():
            apart = max(-1.0, min(1.0, value - usual[features[name]]["usual"]))
            if abs(apart) >= error:
                found[name] = (apart, math.hypot(error, self.wish))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Projectors:
    """Several projectors as one: what two of them say is averaged by precision.

    Attributes:
        parts: In any order.
    """

    parts: tuple[Projector, ...]

    def project(self, text: str) -> Projection:
        """The union of what the parts say; their errors are taken as independent."""
        seen: dict[str, list[tuple[float, float]]] = {}
        for part in self.parts:
            for name, reading in part.project(text).items():
                seen.setdefault(name, []).append(reading)
        return {name: pooled(readings) for name, readings in seen.items()}


def pooled(readings: list[tuple[float, float]]) -> tuple[float, float]:
    """The mean of several (value, noise), weighted by precision, and its noise."""
    precisions = [1.0 / noise**2 for _, noise in readings]
    total = math.fsum(precisions)
    weighed = (value * p for (value, _), p in zip(readings, precisions, strict=True))
    return max(-1.0, min(1.0, math.fsum(weighed) / total)), 1.0 / math.sqrt(total)


def observations(projection: Projection) -> list[tuple[dict[str, float], float]]:
    """A projection as few observations, each of values that share one noise, surest first.

    A piece of evidence has one noise for all its values. Values whose noises lie within a quarter
    of one another go together, under the largest of them: none is believed more than it deserves.
    """
    surest = sorted(projection.items(), key=lambda item: (item[1][1], item[0]))
    groups: list[tuple[dict[str, float], float]] = []
    least = math.inf
    for name, (value, noise) in surest:
        if groups and noise <= 1.25 * least:
            groups[-1] = ({**groups[-1][0], name: value}, noise)
        else:
            groups.append(({name: value}, noise))
            least = noise
    return groups


@lru_cache(maxsize=1)
def card() -> Mapping[str, Any]:
    """What was measured of each projector; see ``features.fitting_projection``.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    try:
        read = json.loads(files("befit.features").joinpath(CARD).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{CARD} does not read: {error}", hint="install befit again", field=CARD
        ) from error
    if not isinstance(read, dict) or not {"surface", "anchors"} <= set(read):
        raise ModelFileError(f"{CARD} is not a card", hint="install befit again", field=CARD)
    return read


def _error(measured: Mapping[str, float], words: int) -> float:
    """Standard deviation of one text's value around its author's position."""
    return math.sqrt(measured["constant"] + measured["per_word"] / words)
