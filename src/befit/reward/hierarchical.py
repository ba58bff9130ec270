"""The default personal reward: a few latent coordinates for all, a Gaussian over them for each.

The population's part, learned by ``align.train.reward_model``, is a basis that turns the features
of a reply into r latent coordinates, and the Gaussian in which people's weights lie. A person's
part is their posterior over those weights: 152 numbers at r = 16. Who said nothing yet has exactly
the population's weights. This module predicts, scores, saves and loads; it learns no basis and
needs no torch.

Two scales, one taste. A *pair* is compared by the direction in which its sides differ: their
difference is brought to a fixed norm, so that one observation counts as much as another however
near the texts are. *Drafts* are scored one by one, so there the norm of a typical difference is
divided out instead: for a typical pair, the gap of two scores is that pair's logit.

Source: survey arXiv:2503.17003 section 4.2 (encoding-based rewarding); low-rank prior as in LoRe,
arXiv:2504.14439; Laplace posterior as in PReF, arXiv:2503.06358.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from befit.belief.gaussian import Matrix, Vector, pack, predictive, unpack
from befit.belief.logistic import newton
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.errors import ModelFileError
from befit.core.preference import Gaussian, Pair
from befit.core.protocols import Encoder
from befit.features.feature_map import FeatureMap

NORM = 3.0  # of every pair's difference, before the basis
NEAR = 0.1  # differences shorter than this are not stretched to the norm: they say little
WEIGHTS, FACTS = "reward.safetensors", "reward.json"  # the files of a saved head

_FORMAT = 1


def directions(differences: NDArray[np.floating[Any]]) -> Matrix:
    """Feature differences brought to the fixed norm, shape (n, width); zero stays zero."""
    lengths = np.linalg.norm(differences, axis=1, keepdims=True)
    return np.asarray(NORM * differences / np.maximum(lengths, NEAR), dtype=np.float64)


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
        basis: Features to latent coordinates, shape (r, width).
        mean: What the population's weights are, shape (r,).
        covariance: How people differ around it, shape (r, r).
        typical: Norm of a typical feature difference of the pairs learned from, > 0.
        version: Hash of all of it; set by itself.
        prior: What is believed of a person who said nothing; set by itself.
    """

    features: FeatureMap
    basis: Matrix
    mean: Vector
    covariance: Matrix
    typical: float = 1.0
    version: str = field(init=False)
    prior: Gaussian = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Keep what a file would keep, so that saving and loading changes no bit."""
        for name in ("basis", "mean", "covariance"):
            rounded = np.asarray(getattr(self, name), dtype=np.float32).astype(np.float64)
            object.__setattr__(self, name, rounded)
        object.__setattr__(self, "version", self._hash())
        object.__setattr__(self, "prior", pack(self.mean, self.covariance))

    def _hash(self) -> str:
        digest = hashlib.sha256(f"{self.features.name}|{self.typical!r}".encode())
        for array in (self.basis, self.mean, self.covariance):
            digest.update(repr(array.shape).encode() + array.tobytes())
        return digest.hexdigest()[:16]

    # As a Taste.

    def difference(self, pair: Pair) -> tuple[float, ...]:
        """Latent coordinates of chosen minus rejected, length r, at the fixed norm."""
        chosen, rejected = self._vectors(pair.prompt, (pair.chosen, pair.rejected))
        return tuple((self.basis @ directions((chosen - rejected)[None])[0]).tolist())

    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian:
        """What these comparisons say of a person; none of them, exactly the prior."""
        if not differences:
            return self.prior
        return pack(*newton(self.mean, self.covariance, np.array(differences), np.array(weights)))

    # As a RewardModel.

    def score(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        """Reward above the mean of these drafts, in logits of a typical pair."""
        if not drafts:
            return []
        taste = conditioning.taste
        own = taste is not None and len(taste.mean) == len(self.mean)
        mean = np.array(taste.mean) if own and taste is not None else self.mean
        # one product with the weights of the features: the covariance is not wanted here
        values = self._vectors(context.prompt, [d.text for d in drafts]) @ (mean @ self.basis)
        scores: list[float] = ((values - values.mean()) * (NORM / self.typical)).tolist()
        return scores

    def uncertainty(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        """Standard deviation of each score, from not knowing the person's weights."""
        _, covariance = self._belief(conditioning.taste)
        z = self._coordinates(context, drafts)
        variances = np.maximum(np.einsum("ij,jk,ik->i", z, covariance, z), 0.0)
        spreads: list[float] = np.sqrt(variances).tolist()
        return spreads

    def predict(self, pair: Pair, taste: Gaussian | None = None) -> float:
        """Calibrated probability that this person prefers ``pair.chosen``.

        Args:
            pair: The two texts.
            taste: The person's posterior; None is a person who said nothing.
        """
        mean, covariance = self._belief(taste)
        return predictive(mean, covariance, np.array(self.difference(pair)))

    def _belief(self, taste: Gaussian | None) -> tuple[Vector, Matrix]:
        """The arrays of a posterior; the prior where there is none, or one of another head."""
        if taste is None or len(taste.mean) != len(self.mean):
            return self.mean, self.covariance
        return unpack(taste)

    def _vectors(self, prompt: str, texts: Sequence[str]) -> Matrix:
        return self.features.vectors([prompt] * len(texts), texts)

    def _coordinates(self, context: Context, drafts: Sequence[Draft]) -> Matrix:
        if not drafts:
            return np.empty((0, len(self.mean)))
        vectors = self._vectors(context.prompt, [draft.text for draft in drafts])
        # Ranking sees only differences, so what all drafts share must not add to the doubt.
        z: Matrix = (vectors - vectors.mean(axis=0)) @ self.basis.T
        return z * (NORM / self.typical)

    # On disk.

    def save(self, folder: Path) -> None:
        """Write ``reward.safetensors`` and ``reward.json`` into a folder, made where missing."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"basis": self.basis, "mean": self.mean, "covariance": self.covariance}
        save_file(
            {name: np.ascontiguousarray(a, dtype=np.float32) for name, a in arrays.items()},
            folder / WEIGHTS,
        )
        facts = {
            "format": _FORMAT,
            "features": self.features.name,
            "style_weight": self.features.style_weight,
            "typical": self.typical,
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
            ModelFileError: A file is missing or damaged, or it was learned on other features.
        """
        try:
            facts: Mapping[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            arrays = load_file(folder / WEIGHTS)
            head = cls(
                features=FeatureMap(encoder, float(facts["style_weight"])),
                basis=np.asarray(arrays["basis"], dtype=np.float64),
                mean=np.asarray(arrays["mean"], dtype=np.float64),
                covariance=np.asarray(arrays["covariance"], dtype=np.float64),
                typical=float(facts["typical"]),
            )
            learned_on, version = str(facts["features"]), str(facts["version"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise _unreadable(folder, f"does not read: {error}") from error
        if learned_on != head.features.name:
            raise _unreadable(
                folder, f"was learned on {learned_on}, and here is {head.features.name}"
            )
        if version != head.version:
            raise _unreadable(folder, "is not what was saved")
        return head


def _unreadable(folder: Path, why: str) -> ModelFileError:
    return ModelFileError(
        f"the reward in {folder} {why}",
        hint="learn again with `befit learn`, or roll back to the artifact before",
        field="folder",
    )
