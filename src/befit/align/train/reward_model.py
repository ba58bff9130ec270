"""Learns the default reward from comparisons of many people: `fit_population`, and its `Learner`.

Writes files into a folder; promoting them, or not, is the cycle's to decide.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from befit.align.train.episodic import Indices, People, train
from befit.align.train.population import calibrated, polish, start
from befit.core.artifact import Artifact
from befit.core.errors import NotEnoughFeedbackError
from befit.core.feedback import Comparison
from befit.core.preference import Pair
from befit.core.protocols import Encoder
from befit.features.feature_map import FeatureMap
from befit.reward.hierarchical import FACTS, WEIGHTS, HierarchicalReward, directions

VALIDATION_SHARE = 0.2
MIN_PEOPLE = 4  # one of them is held out

Table = Mapping[str, NDArray[np.float64]]  # text -> features

_BINS = 10


def fit_population(
    pairs_by_user: Mapping[str, Sequence[Pair]],
    feature_map: FeatureMap,
    rank: int = 16,
    seed: int = 0,
    *,
    steps: int = 400,
    report: Callable[[int, int], None] = lambda _step, _steps: None,
) -> HierarchicalReward:
    """The population head of the people given.

    A fifth of the people is kept aside to stop the training by and to calibrate on. A closed-form
    start, training through the personal update, then, where held-out people gain by it, a full
    covariance. With few people the prior comes out narrow and the head close to user-blind.

    Args:
        pairs_by_user: Each person's pairs; people without any are passed over.
        feature_map: What a reply is seen by.
        rank: Latent coordinates; at most the width of the features.
        seed: Same pairs in the same order, seed and machine: same head.
        steps: Most steps of training; 0 keeps the closed-form start.
        report: Told the step and the steps, for a progress bar.

    Raises:
        NotEnoughFeedbackError: Fewer than 4 people have a pair of two different texts.

    Source: survey arXiv:2503.17003 section 4.2; LoRe arXiv:2504.14439, PReF arXiv:2503.06358, MRM
    arXiv:2601.18731, of each of which this has a part.
    """
    users = sorted(
        user for user, pairs in pairs_by_user.items() if any(p.chosen != p.rejected for p in pairs)
    )
    if len(users) < MIN_PEOPLE:
        raise NotEnoughFeedbackError(
            f"{len(users)} people have comparisons; a population needs {MIN_PEOPLE}",
            hint="collect reactions of more people, or give a file of pairs",
        )
    order = np.random.default_rng(seed).permutation(len(users))
    aside = max(1, round(VALIDATION_SHARE * len(users)))
    table = _embed((pair for user in users for pair in pairs_by_user[user]), feature_map)
    held_out, people = (
        _people([pairs_by_user[users[i]] for i in part], table)
        for part in (order[:aside], order[aside:])
    )
    begun = start(people, held_out, min(rank, feature_map.width))
    trained = train(begun, people, held_out, seed=seed, steps=steps, report=report)
    best = calibrated(
        [trained, polish(trained, people), begun, polish(begun, people)], held_out, seed
    )
    return HierarchicalReward(
        features=feature_map,
        basis=best.basis,
        mean=best.mean,
        covariance=best.covariance,
        typical=_typical(pairs_by_user, users, table),
    )


def _embed(pairs: Iterable[Pair], features: FeatureMap) -> Table:
    """The features of every text, once."""
    texts = sorted({text for pair in pairs for text in (pair.chosen, pair.rejected)})
    return dict(zip(texts, features.vectors([""] * len(texts), texts), strict=True))


def _raw(pairs: Sequence[Pair], table: Table) -> NDArray[np.float64]:
    return np.array([table[pair.chosen] - table[pair.rejected] for pair in pairs])


def _typical(by_user: Mapping[str, Sequence[Pair]], users: Sequence[str], table: Table) -> float:
    lengths = [np.linalg.norm(_raw(by_user[user], table), axis=1) for user in users]
    return max(float(np.median(np.concatenate(lengths))), 1e-6)


def _people(by_person: Sequence[Sequence[Pair]], table: Table) -> People:
    return People(
        differences=np.concatenate([directions(_raw(pairs, table)) for pairs in by_person]),
        weights=np.array([pair.weight for pairs in by_person for pair in pairs]),
        starts=np.cumsum([0, *map(len, by_person)]),
        groups=tuple(groups(pairs) for pairs in by_person),
    )


def groups(pairs: Sequence[Pair]) -> Indices:
    """Which of one person's pairs belong together, numbered from 0, shape (len(pairs),).

    Pairs that share a text do, directly or through others; so do pairs of one prompt, unless all
    the person's pairs are of one prompt, which then tells nothing apart.
    """
    by_prompt = len({pair.prompt for pair in pairs}) > 1
    root: dict[tuple[str, str], tuple[str, str]] = {}

    def find(key: tuple[str, str]) -> tuple[str, str]:
        while root.setdefault(key, key) != key:
            key = root[key]
        return key

    for pair in pairs:
        own = find(("text", pair.chosen))
        root[find(("text", pair.rejected))] = own
        if by_prompt and pair.prompt:
            root[find(("prompt", pair.prompt))] = own
    numbers: dict[tuple[str, str], int] = {}
    return np.array(
        [numbers.setdefault(find(("text", pair.chosen)), len(numbers)) for pair in pairs]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardLearner:
    """Learns a shared reward head from the comparisons of many people; a `Learner`.

    A share of the people is never learned from: the artifact's metrics are measured on them, after
    up to ``shots`` of each one's pairs, on the rest of theirs. ``population_accuracy`` is the same
    head's without those pairs.

    Attributes:
        encoder: Embeds the replies.
        rank: Latent coordinates of a person.
        style_weight: How much style counts beside meaning, >= 0.
        steps: Most steps of training.
        seed: Of the division of people and of the training.
        min_people: Fewest people, each with two or more pairs, >= 5.
        min_pairs: Fewest pairs in all.
        shots: Most pairs shown of a person who is tested.
    """

    encoder: Encoder
    rank: int = 16
    style_weight: float = 2.0
    steps: int = 400
    seed: int = 0
    min_people: int = 8
    min_pairs: int = 64
    shots: int = 8

    def learn(self, comparisons: Sequence[Comparison], folder: Path, at: datetime) -> Artifact:
        """Fit, measure on unseen people, and write the head into ``folder``.

        Raises:
            NotEnoughFeedbackError: There are fewer people or pairs than the least.
        """
        by_user = _by_user(comparisons)
        self._enough(by_user)
        features = FeatureMap(self.encoder, self.style_weight)
        users = sorted(by_user)
        order = np.random.default_rng(self.seed + 1).permutation(len(users))
        tested = {users[i] for i in order[: max(1, round(VALIDATION_SHARE * len(users)))]}
        learned_from = {user: pairs for user, pairs in by_user.items() if user not in tested}
        head = fit_population(
            learned_from, features, rank=self.rank, seed=self.seed, steps=self.steps
        )
        head.save(folder)
        return Artifact(
            id=_digest(folder),
            kind="reward",
            owner=None,
            base=features.name,
            at=at,
            metrics={
                **measure(head, [by_user[user] for user in sorted(tested)], self.shots),
                "people": float(len(users)),
                "pairs": float(sum(map(len, by_user.values()))),
            },
        )

    def _enough(self, by_user: Mapping[str, Sequence[Pair]]) -> None:
        people, pairs = len(by_user), sum(map(len, by_user.values()))
        least = max(self.min_people, MIN_PEOPLE + 1)
        if people < least or pairs < self.min_pairs:
            raise NotEnoughFeedbackError(
                f"{pairs} comparisons of {people} people with two or more are too few; "
                f"it takes {self.min_pairs} of {least}",
                hint="collect more reactions, or give a file of pairs",
            )


def _by_user(comparisons: Sequence[Comparison]) -> dict[str, list[Pair]]:
    """Each person's pairs; people with one pair cannot be both shown and asked."""
    by_user: dict[str, list[Pair]] = {}
    for each in comparisons:
        pair = Pair(
            prompt=each.context.prompt,
            chosen=each.chosen.text,
            rejected=each.rejected.text,
            weight=each.weight,
        )
        if pair.chosen != pair.rejected:
            by_user.setdefault(each.context.user, []).append(pair)
    return {user: pairs for user, pairs in by_user.items() if len(pairs) > 1}


def measure(
    head: HierarchicalReward, people: Sequence[Sequence[Pair]], shots: int
) -> dict[str, float]:
    """How well a head predicts people it was not fitted on.

    Args:
        head: The head.
        people: Each person's pairs; the first groups of them, up to ``shots`` pairs and half of
            all, are shown, the others asked.
        shots: Most pairs shown.

    Returns:
        ``accuracy`` and ``nll`` (nats) macro over people, ``population_accuracy`` without the
        pairs shown, ``ece`` (expected calibration error over 10 bins), ``tested_people``.
    """
    personal: list[list[float]] = []
    blind: list[list[float]] = []
    for pairs in people:
        shown, asked = _divided(pairs, shots)
        taste = head.posterior([head.difference(p) for p in shown], [p.weight for p in shown])
        personal.append([head.predict(pair, taste) for pair in asked])
        blind.append([head.predict(pair) for pair in asked])
    return {
        "accuracy": _macro(personal, lambda p: (p > 0.5) + 0.5 * (p == 0.5)),
        "population_accuracy": _macro(blind, lambda p: (p > 0.5) + 0.5 * (p == 0.5)),
        "nll": _macro(personal, lambda p: -log(max(p, 1e-12))),
        "ece": _calibration_error(np.concatenate([np.array(own) for own in personal])),
        "tested_people": float(len(people)),
    }


def _divided(pairs: Sequence[Pair], shots: int) -> tuple[list[Pair], list[Pair]]:
    """Whole groups are shown until there are enough; all are asked where one group holds all."""
    numbers = groups(pairs)
    most = min(shots, len(pairs) // 2)
    shown: list[int] = []
    for number in range(int(numbers.max()) + 1):
        group = np.flatnonzero(numbers == number).tolist()
        if len(shown) + len(group) <= most:
            shown += group
    hidden = set(shown)
    return [pairs[i] for i in shown], [p for i, p in enumerate(pairs) if i not in hidden]


def _macro(people: Sequence[Sequence[float]], of: Callable[[float], float]) -> float:
    return float(np.mean([np.mean([of(p) for p in own]) for own in people]))


def _calibration_error(chosen: NDArray[np.float64]) -> float:
    """Expected calibration error of the side predicted, whose confidence is at least one half."""
    confidence = np.maximum(chosen, 1.0 - chosen)
    right = (chosen > 0.5) + 0.5 * (chosen == 0.5)
    bins = np.minimum((2.0 * (confidence - 0.5) * _BINS).astype(int), _BINS - 1)
    gaps = [
        np.sum(bins == b) * abs(float(np.mean(right[bins == b] - confidence[bins == b])))
        for b in range(_BINS)
        if np.any(bins == b)
    ]
    return float(sum(gaps) / len(chosen))


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (WEIGHTS, FACTS):
        digest.update((folder / name).read_bytes())
    return f"reward-{digest.hexdigest()[:24]}"
