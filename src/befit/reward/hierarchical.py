"""The personal reward online: coordinates of texts for all, a Gaussian over them for each.

The population's part is what `align.rewards.default` fits, learned by `align.rewards.learner`:
a basis that turns the features of a text into r coordinates, what texts that were met have beyond
their features, and the Gaussian in which people's weights lie. A person's part is their posterior
over those weights: 152 numbers at r = 16. Who said nothing yet has exactly the population's
weights. With the coordinates ``t`` of a text and a person's weights ``w``,

    score(text) = w . t,   logit(chosen over rejected) = w . (t_chosen - t_rejected),

so differences of scores are logits, and differences of texts add up. This module predicts, scores,
saves and loads; it learns no basis and needs no torch.

Source: survey arXiv:2503.17003 section 4.2 (encoding-based rewarding); low-rank prior as in LoRe,
arXiv:2504.14439; Laplace posterior as in PReF, arXiv:2503.06358.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from befit.belief.gaussian import Matrix, Vector, pack, predictive, unpack
from befit.belief.logistic import newton
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.errors import ModelFileError
from befit.core.preference import Gaussian, Pair
from befit.core.protocols import Encoder
from befit.features.explaining import parts, told
from befit.features.feature_map import FeatureMap
from befit.features.recognition import DIGEST_BYTES, digest

WEIGHTS, FACTS = "reward.safetensors", "reward.json"  # the files of a saved head
MOST_FOLDED = 10_000  # comparisons of one person that are folded: those that count most

Told = tuple[float, tuple[float, ...]]  # what a comparison counts, and how its sides differ

_FORMAT = 2
_ARRAYS = ("basis", "own", "mean", "covariance")
_TASTES = 256  # whose weights of features are kept at hand


def state_bytes(rank: int) -> int:
    """Bytes of one person's state: mean and lower triangle as 32-bit numbers; 608 at rank 16."""
    return 4 * (rank + rank * (rank + 1) // 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HierarchicalReward:
    """A population head; with a person's posterior it is that person's reward.

    It is a `RewardModel` (``conditioning.taste`` is the person's posterior; None is the prior) and
    a `Taste`. Predictions are calibrated: the scale of the basis was set on held-out people.

    Attributes:
        features: What a reply is seen by.
        basis: Features to coordinates, shape (r, width).
        mean: What the population's weights are, shape (r,).
        covariance: How people differ around it, shape (r, r).
        own: What a text that was met has beyond its features, shape (met, r).
        known: What each text that was met is recognised by (`features.recognition`).
        version: Hash of all of it; set by itself.
        prior: What is believed of a person who said nothing; set by itself.
    """

    features: FeatureMap
    basis: Matrix
    mean: Vector
    covariance: Matrix
    own: Matrix = field(default_factory=lambda: np.empty((0, 0)))
    known: tuple[str, ...] = ()
    version: str = field(init=False)
    prior: Gaussian = field(init=False, repr=False)
    _place: dict[str, int] = field(init=False, repr=False)
    _weights: dict[int, tuple[Gaussian, Vector]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Keep what a file would keep, so that saving and loading changes no bit.

        Raises:
            ValueError: The arrays do not fit one another, or hold what is no number.
        """
        for name in _ARRAYS:
            rounded = np.asarray(getattr(self, name), dtype=np.float32).astype(np.float64)
            object.__setattr__(self, name, rounded)
        if not self.own.size:
            object.__setattr__(self, "own", self.own.reshape(0, len(self.mean)))
        self._check()
        object.__setattr__(self, "version", self._hash())
        object.__setattr__(self, "prior", pack(self.mean, self.covariance))
        object.__setattr__(self, "_place", {name: i for i, name in enumerate(self.known)})
        object.__setattr__(self, "_weights", {})

    def _check(self) -> None:
        rank = len(self.mean)
        shapes = {
            "basis": (rank, self.features.width),
            "own": (len(self.known), rank),
            "mean": (rank,),
            "covariance": (rank, rank),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise ValueError(f"{name} has the shape {array.shape}, not {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds what is no number")

    def _hash(self) -> str:
        found = hashlib.sha256(f"{self.features.name}|{' '.join(self.known)}".encode())
        for array in (getattr(self, name) for name in _ARRAYS):
            found.update(repr(array.shape).encode() + array.tobytes())
        return found.hexdigest()[:16]

    # As a Taste.

    def difference(self, pair: Pair) -> tuple[float, ...]:
        """Coordinates of the chosen text less those of the rejected one, length r."""
        return tuple(self.differences((pair,))[0].tolist())

    def differences(self, pairs: Sequence[Pair]) -> Matrix:
        """`difference` of many pairs, shape (n, r); each distinct text is embedded once."""
        sides = [text for pair in pairs for text in (pair.chosen, pair.rejected)]
        place = {text: i for i, text in enumerate(dict.fromkeys(sides))}
        found = self._coordinates("", tuple(place))[[place[text] for text in sides]]
        differ: Matrix = found[::2] - found[1::2]
        return differ

    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian:
        """What these comparisons say of a person; none of them, exactly the prior.

        Of more than `MOST_FOLDED` comparisons those that count most are folded, equal ones as one.
        What does not differ says nothing.
        """
        both = zip(weights, differences, strict=True)
        known: list[Told] = [(w, d) for w, d in both if w > 0.0 and any(d)]
        if not known:
            return self.prior
        if len(known) > MOST_FOLDED:
            known = _weightiest(known)
        x, w = np.array([d for _, d in known]), np.array([w for w, _ in known])
        return pack(*newton(self.mean, self.covariance, x, w))

    # As a RewardModel.

    def score(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        """Reward above the mean of these drafts, in logits.

        Raises:
            ModelError: The features of a draft are no numbers.
        """
        if not drafts:
            return []
        texts = [draft.text for draft in drafts]
        taste = conditioning.taste
        if taste is None or len(taste.mean) != len(self.mean):  # none, or one of another head
            taste = self.prior
        vectors = self.features.vectors([context.prompt] * len(texts), texts)
        # one product with the weights of the features: neither coordinates nor covariance are made
        values: list[float] = vectors.dot(self._of_features(taste)).tolist()
        for i, place in self._met(texts):
            values[i] += float(self.own[place].dot(taste.mean))
        middle = sum(values) / len(values)
        return [value - middle for value in values]

    def uncertainty(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        """Standard deviation of each score, from not knowing the person's weights."""
        if not drafts:
            return []
        _, covariance = self._belief(conditioning.taste)
        t = self._coordinates(context.prompt, [draft.text for draft in drafts])
        t = t - t.mean(axis=0)  # what all drafts share must not add to the doubt
        variances = np.maximum(np.einsum("ij,jk,ik->i", t, covariance, t), 0.0)
        spreads: list[float] = np.sqrt(variances).tolist()
        return spreads

    def explain(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> list[dict[str, float]]:
        """Each score in parts with names, the largest first; they add up to it.

        ``everyone: length`` is what everyone thinks of a draft's length beside that of these
        drafts, ``person: length`` how this person differs from everyone.
        """
        if not drafts:
            return []
        mean, _ = self._belief(conditioning.taste)
        texts = [draft.text for draft in drafts]
        vectors = self.features.vectors([context.prompt] * len(texts), texts)
        own = np.zeros((len(texts), len(mean)))
        for i, place in self._met(texts):
            own[i] = self.own[place]
        vectors, own = vectors - vectors.mean(axis=0), own - own.mean(axis=0)
        everyone, person = (
            parts(self.features, vectors, weights @ self.basis, own @ weights)
            for weights in (self.mean, mean - self.mean)
        )
        return told(self.features, everyone, person)

    def predict(self, pair: Pair, taste: Gaussian | None = None) -> float:
        """Calibrated probability that this person prefers ``pair.chosen``.

        Args:
            pair: The two texts.
            taste: The person's posterior; None is a person who said nothing.
        """
        mean, covariance = self._belief(taste)
        return predictive(mean, covariance, self.differences((pair,))[0])

    def _belief(self, taste: Gaussian | None) -> tuple[Vector, Matrix]:
        """The arrays of a posterior; the prior where there is none, or one of another head."""
        if taste is None or len(taste.mean) != len(self.mean):
            return self.mean, self.covariance
        return unpack(taste)

    def _of_features(self, taste: Gaussian) -> Vector:
        """A person's weights of the features; those of recent people are at hand."""
        kept = self._weights.get(id(taste))
        if kept is not None and kept[0] is taste:
            return kept[1]
        if len(self._weights) >= _TASTES:
            self._weights.clear()
        made: Vector = np.array(taste.mean).dot(self.basis)
        self._weights[id(taste)] = taste, made
        return made

    def _met(self, texts: Iterable[str]) -> list[tuple[int, int]]:
        """Which texts were met, and where what they have of their own stands."""
        places = self._place
        if not places:
            return []
        names = map(digest, texts)
        return [(i, places[name]) for i, name in enumerate(names) if name in places]

    def _coordinates(self, prompt: str, texts: Sequence[str]) -> Matrix:
        """What each text is worth along each coordinate, shape (n, r)."""
        found: Matrix = self.features.vectors([prompt] * len(texts), texts) @ self.basis.T
        for i, place in self._met(texts):
            found[i] += self.own[place]
        return found

    # On disk.

    def save(self, folder: Path) -> None:
        """Write ``reward.safetensors`` and ``reward.json`` into a folder, made where missing."""
        folder.mkdir(parents=True, exist_ok=True)
        names = np.frombuffer(bytes.fromhex("".join(self.known)), dtype=np.uint8)
        arrays = {
            name: np.ascontiguousarray(getattr(self, name), dtype=np.float32) for name in _ARRAYS
        }
        save_file({**arrays, "known": names.reshape(-1, DIGEST_BYTES)}, folder / WEIGHTS)
        facts = {
            "format": _FORMAT,
            "features": self.features.name,
            "style_weight": self.features.style_weight,
            "version": self.version,
        }
        (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> Self:
        """Read a saved head.

        Args:
            folder: Where it was saved.
            encoder: The encoder that it was learned on.

        Raises:
            ModelFileError: A file is missing or damaged, it was written by another version, or it
                was learned on other features.
        """
        try:
            facts: Mapping[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            if facts["format"] != _FORMAT:
                raise _unreadable(folder, f"has the format {facts['format']}, not {_FORMAT}")
            features = FeatureMap(encoder, float(facts["style_weight"]))
            if facts["features"] != features.name:
                raise _unreadable(
                    folder, f"was learned on {facts['features']}, and here is {features.name}"
                )
            arrays = load_file(folder / WEIGHTS)
            head = cls(
                features=features,
                known=tuple(row.tobytes().hex() for row in arrays["known"]),
                **{name: arrays[name] for name in _ARRAYS},
            )
            version = str(facts["version"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise _unreadable(folder, f"does not read: {error}") from error
        if version != head.version:
            raise _unreadable(folder, "is not what was saved")
        return head


def _weightiest(known: Sequence[Told]) -> list[Told]:
    """The comparisons that count most, whatever their order.

    Equal ones count together; of those that count alike an arbitrary choice, always the same, so
    that what is left says what all of them said.
    """
    alike: dict[tuple[float, ...], list[float]] = {}
    for weight, difference in known:
        alike.setdefault(difference, []).append(weight)
    merged = [(fsum(weights), difference) for difference, weights in alike.items()]
    return sorted(merged, key=lambda each: (-each[0], hash(each[1]), each[1]))[:MOST_FOLDED]


def _unreadable(folder: Path, why: str) -> ModelFileError:
    return ModelFileError(
        f"the reward in {folder} {why}",
        hint="learn again with `befit learn`, or roll back to the artifact before",
        field="folder",
    )
