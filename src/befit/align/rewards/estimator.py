"""A personal reward as one object, for notebooks and programs: fit, observe, predict, score, save.

The shape is that of an estimator of scikit-learn; the work is the method's. It keeps the histories
that it is told, so that forgetting a person is leaving theirs out; of a very long one the newest
`MOST_KEPT` comparisons, so that nobody's is without bound. Not safe to share between threads.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, Self

import numpy as np

from befit.align.rewards.method import Doubts, Explains, Fitted, Method, sigmoid
from befit.align.rewards.pairs import Array, Pairs, Person, Population, Texts
from befit.align.rewards.storing import load, save
from befit.core.errors import InputError, ModelFileError, NotEnoughFeedbackError
from befit.core.preference import Pair
from befit.core.registry import find
from befit.features.feature_map import FeatureMap

VALIDATION_SHARE = 0.2
PEOPLE = "people.json"
MOST_KEPT = 10_000  # comparisons of one person that a history keeps: the newest
MOST_FITTED = 2_000  # of one person that a population is fitted on: the newest


class PersonalReward:
    """One method of `befit.align.rewards`, fitted on many people and told of each.

    Args:
        features: What a text is seen by.
        method: Its registered name, or ``module:Class``.
        options: Hyper-parameters of the method.
    """

    def __init__(self, features: FeatureMap, method: str = "default", **options: Any) -> None:
        self.features = features
        self.method = method
        self.options = options
        self._made: Method = find("method", method)(**options)
        self._fitted: Fitted | None = None
        self._told: dict[str, list[Pair]] = {}
        self._about: dict[str, Mapping[str, str]] = {}
        self._states: dict[str, Any] = {}

    def fit(
        self,
        pairs: Mapping[str, Sequence[Pair]],
        about: Mapping[str, Mapping[str, str]] | None = None,
        *,
        seed: int = 0,
    ) -> Self:
        """Learn from a population; a fifth of the people is kept aside to choose settings by.

        Args:
            pairs: Each person's comparisons, oldest first; the last `MOST_FITTED` are read.
            about: What people said of themselves, where they did.
            seed: Of the division and of the method.

        Raises:
            NotEnoughFeedbackError: There are too few people or pairs.
            ModelError: The features of a text are no numbers.
        """
        users = sorted(user for user, own in pairs.items() if own)
        if len(users) < 2:
            raise NotEnoughFeedbackError(
                f"{len(users)} people have pairs", hint="give pairs of at least two people"
            )
        told = {user: pairs[user][-MOST_FITTED:] for user in users}
        texts = self._texts([pair for own in told.values() for pair in own])
        people = {
            user: Person(pairs=Pairs.of(texts, own), about=(about or {}).get(user, {}))
            for user, own in told.items()
        }
        everyone = Population(texts=texts, people=people)
        order = np.random.default_rng(seed).permutation(len(users))
        aside = max(1, round(VALIDATION_SHARE * len(users)))
        held_out, rest = ([users[i] for i in sorted(p)] for p in (order[:aside], order[aside:]))
        self._fitted = self._made.fit(everyone.part(rest), everyone.part(held_out), seed=seed)
        self._states.clear()
        return self

    def observe(
        self, user: str, pairs: Sequence[Pair], about: Mapping[str, str] | None = None
    ) -> Self:
        """Tell more of a person; what was told before stays, of very much the newest.

        Args:
            user: Who.
            pairs: Their comparisons.
            about: What they said of themselves.
        """
        self._told[user] = [*self._told.get(user, ()), *pairs[-MOST_KEPT:]][-MOST_KEPT:]
        if about:
            self._about[user] = {**self._about.get(user, {}), **about}
        self._states.pop(user, None)
        return self

    def forget(self, user: str) -> int:
        """Leave out what was told of a person; how many comparisons. The population stays."""
        for each in (self._about, self._states):
            each.pop(user, None)
        return len(self._told.pop(user, []))

    def decision_function(self, user: str, pairs: Sequence[Pair]) -> Array:
        """Log-odds that each chosen text beats the rejected one, shape (n,)."""
        return self._logits(user, self._pairs(pairs))

    def predict_proba(self, user: str, pairs: Sequence[Pair]) -> Array:
        """Probability that each chosen text beats the rejected one, shape (n,)."""
        return sigmoid(self.decision_function(user, pairs))

    def explain(self, user: str, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """Each pair's log-odds in parts with names, the largest first; they add up to it.

        Raises:
            InputError: The method cannot say.
        """
        fitted = self._ready()
        if not isinstance(fitted, Explains):
            raise InputError(
                f"{self.method} cannot say why", hint="the default can", field="method"
            )
        return fitted.explain(self._state(user), self._pairs(pairs))

    def score(self, user: str, prompt: str, texts: Sequence[str]) -> Array:
        """How much this person would like each text beside the others: its mean log-odds."""
        return self._each(user, prompt, texts, lambda pairs: (self._logits(user, pairs), -1.0))

    def uncertainty(self, user: str, prompt: str, texts: Sequence[str]) -> Array:
        """How unsure each score is, in log-odds; 0 of a method that does not say."""
        fitted = self._ready()
        if not isinstance(fitted, Doubts):
            return np.zeros(len(texts))
        return self._each(
            user, prompt, texts, lambda pairs: (fitted.spread(self._state(user), pairs), 1.0)
        )

    def save(self, folder: Path) -> None:
        """Write the population's part and what was told of people.

        Raises:
            InputError: Nothing was fitted yet.
        """
        save(self._ready(), folder, self.method, self.features.name)
        told = {
            user: [[p.prompt, p.chosen, p.rejected, p.weight] for p in own]
            for user, own in self._told.items()
        }
        content = {
            "width": self.features.width,
            "options": self.options,
            "told": told,
            "about": self._about,
        }
        (folder / PEOPLE).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, features: FeatureMap, method: str = "default") -> Self:
        """Read what was saved.

        Raises:
            ModelFileError: It does not read, or was fitted on other features.
        """
        fitted = load(folder, features.name)
        try:
            content = json.loads((folder / PEOPLE).read_text(encoding="utf-8"))
            made = cls(features, method, **content["options"])
            made._tell(content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelFileError(
                f"the people in {folder} do not read: {error}",
                hint="fit it again, or give it the features it was fitted on",
                field="folder",
            ) from error
        made._fitted = fitted
        return made

    def _tell(self, content: Mapping[str, Any]) -> None:
        """Tell what was saved of people."""
        if content["width"] != self.features.width:
            width = self.features.width
            raise ValueError(f"fitted on a width of {content['width']}, and here is {width}")
        for user, own in content["told"].items():
            self.observe(user, [_pair(*row) for row in own])
        self._about = {str(user): dict(own) for user, own in content["about"].items()}

    def _ready(self) -> Fitted:
        if self._fitted is None:
            raise InputError("nothing was fitted yet", hint="call fit first", field="fit")
        return self._fitted

    def _texts(self, pairs: Sequence[Pair]) -> Texts:
        names = [t for p in pairs for t in (p.chosen, p.rejected, p.prompt)]
        return Texts(names, self.features)

    def _pairs(self, pairs: Sequence[Pair]) -> Pairs:
        return Pairs.of(self._texts(pairs), pairs)

    def _state(self, user: str) -> Any:
        if user not in self._states:
            own = Person(
                pairs=self._pairs(self._told.get(user, [])), about=self._about.get(user, {})
            )
            self._states[user] = self._ready().adapt([own])[0]
        return self._states[user]

    def _logits(self, user: str, pairs: Pairs) -> Array:
        return self._ready().logits(self._state(user), pairs)

    def _each(
        self,
        user: str,
        prompt: str,
        texts: Sequence[str],
        of: Callable[[Pairs], tuple[Array, float]],
    ) -> Array:
        """From values of all pairs to one value of each text, the mean over its pairs."""
        count = len(texts)
        found = np.zeros((count, count))
        both = list(combinations(range(count), 2))
        if not both:
            return np.zeros(count)
        pair = Pair(prompt=prompt, chosen="", rejected="")
        pairs = [replace(pair, chosen=texts[i], rejected=texts[j]) for i, j in both]
        values, sign = of(self._pairs(pairs))
        for (i, j), value in zip(both, values, strict=True):
            found[i, j], found[j, i] = value, sign * value
        mean: Array = found.sum(axis=1) / (count - 1)
        return mean


def _pair(prompt: str, chosen: str, rejected: str, weight: float) -> Pair:
    """A comparison as it was saved; text where text stands, a number where a number does."""
    texts = prompt, chosen, rejected
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"a comparison of {texts}")
    return Pair(prompt=prompt, chosen=chosen, rejected=rejected, weight=float(weight))
