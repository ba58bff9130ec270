"""Learns the personal reward from comparisons of many people: `fit_population`, and its `Learner`.

What is fitted is the default of `befit.align.rewards`, so that what is promoted is what was
evaluated. Writes files into a folder; promoting them, or not, is the cycle's to decide.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from befit.align.rewards.default import Default, DefaultFit
from befit.align.rewards.pairs import Indices, Pairs, Person, Population, Texts
from befit.belief.gaussian import predictive, unpack
from befit.core.artifact import Artifact
from befit.core.errors import InputError, NotEnoughFeedbackError
from befit.core.feedback import Comparison
from befit.core.preference import Pair
from befit.core.protocols import Encoder
from befit.features.feature_map import FeatureMap
from befit.reward.hierarchical import FACTS, WEIGHTS, HierarchicalReward

VALIDATION_SHARE = 0.2
MIN_PEOPLE = 4  # one of them is held out
MOST_PAIRS = 2_000  # of one person that a population is fitted on: the last

_BINS = 10


def fit_population(
    pairs_by_user: Mapping[str, Sequence[Pair]],
    feature_map: FeatureMap,
    rank: int = 16,
    seed: int = 0,
    *,
    steps: int = 400,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> HierarchicalReward:
    """The population head of the people given: `align.rewards.default.Default`, made to serve.

    A fifth of the people is kept aside to choose by and to calibrate on. With few people the prior
    comes out narrow and the head close to user-blind.

    Args:
        pairs_by_user: Each person's pairs, of which the last `MOST_PAIRS` are read; people without
            any are passed over.
        feature_map: What a reply is seen by.
        rank: Coordinates of a text, what everyone thinks of it included; >= 1.
        seed: Same pairs in the same order, seed and machine: same head.
        steps: Most steps of training; 0 keeps the closed-form start.
        report: Told (done, total) while texts are embedded.

    Raises:
        InputError: The rank is below 1.
        NotEnoughFeedbackError: Fewer than 4 people have a pair of two different texts.
    """
    if rank < 1:
        raise InputError(f"a rank of {rank} has no coordinate", hint="give 1 or more", field="rank")
    told = {
        user: [pair for pair in pairs if pair.chosen != pair.rejected][-MOST_PAIRS:]
        for user, pairs in pairs_by_user.items()
    }
    users = sorted(user for user, pairs in told.items() if pairs)
    if len(users) < MIN_PEOPLE:
        raise NotEnoughFeedbackError(
            f"{len(users)} people have comparisons; a population needs {MIN_PEOPLE}",
            hint="collect reactions of more people, or give a file of pairs",
        )
    names = sorted({text for user in users for p in told[user] for text in (p.chosen, p.rejected)})
    texts = Texts(names, feature_map, report)
    everyone = Population(
        texts=texts, people={user: Person(pairs=Pairs.of(texts, told[user])) for user in users}
    )
    order = np.random.default_rng(seed).permutation(len(users))
    aside = max(1, round(VALIDATION_SHARE * len(users)))
    held_out, people = (
        everyone.part([users[i] for i in sorted(part)]) for part in (order[:aside], order[aside:])
    )
    return serving(Default(rank=rank, steps=steps).fit(people, held_out, seed=seed), feature_map)


def serving(fitted: DefaultFit, features: FeatureMap) -> HierarchicalReward:
    """The same as a head that serves: one posterior, whoever asks.

    How readily people call it a tie is left behind: no reaction says so.

    Args:
        fitted: What the default method learned.
        features: What it was learned on.
    """
    return HierarchicalReward(
        features=features,
        basis=fitted.basis,
        own=fitted.own,
        known=fitted.known,
        mean=fitted.mean,
        covariance=fitted.covariance,
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
        rank: Coordinates of a person; >= 1.
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
        seen = head.differences(shown)
        taste = head.posterior(list(map(tuple, seen.tolist())), [p.weight for p in shown])
        ahead = head.differences(asked)
        for state, found in ((taste, personal), (head.prior, blind)):
            mean, covariance = unpack(state)
            found.append([predictive(mean, covariance, each) for each in ahead])
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
