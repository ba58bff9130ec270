"""Personas with demonstrations, written from the pairs of people who differ most, and judged by.

For each of a few such people (`likelihood_ratio.poles`):

1. a persona in words: the three measures of style in which what they chose differs most from what
   they rejected ("I like more warmth, less length");
2. several sets of demonstrations, drawn from their pairs; under persona and set a language model is
   asked of other texts of theirs "would I like it?", and the set stays by which it tells best what
   they chose from what they rejected.

Then every text is judged under every persona, as log-odds of yes over no. A new person's history
says by Bayes which persona is theirs (`likelihood_ratio.InferredFit`).

Source: SynthesizeMe, Ryan et al. 2025, arXiv:2506.05598.

Found when checking: the paper lets the model reason about each pair and write the persona, and its
own code judges by the persona alone, though its gain comes from the demonstrations (persona alone
53.7, demonstrations 62.0). The embedded model of 135 million parameters writes no persona that is
worth reading, so that it is written from measures of style, and the demonstrations are kept. What
is lost are reasons, topics and values that no measure of style names. Its answers hardly depend on
the text: on dsp .473 at 4 shots, as with another person's history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from befit.align.rewards.likelihood_ratio import (
    GAINS,
    SHARPNESS,
    InferredFit,
    clipped,
    inferred,
    poles,
)
from befit.align.rewards.pairs import Array, Pairs, Population
from befit.align.rewards.reader import LocalReader, Reads
from befit.align.rewards.readings import read
from befit.features.style import FEATURES, style_vector

_ANSWERS = ("Yes", "No")
_CLOSING = "\n\nWould I like this text? Answer yes or no."
_NAMED = 3  # measures of style in a persona
_ASKED = 8  # pairs that a set of demonstrations is chosen by


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesize:
    """A language model's judgement under the persona that a history speaks for.

    Attributes:
        reader: The language model that judges.
        personas: How many, even, >= 2.
        demonstrations: Pairs shown under each.
        tries: Sets of demonstrations to choose from, >= 1.
        most_texts: Texts that it judges; of others the features tell.
        sharpness: How far one pair moves between personas, to try.
        gains: Logits of a spread of the judgements, to try.
    """

    asks_a_model: ClassVar[bool] = True

    reader: Reads = field(default_factory=lambda: LocalReader(precision="float32"))
    personas: int = 4
    demonstrations: int = 3
    tries: int = 2
    most_texts: int = 48
    sharpness: tuple[float, ...] = SHARPNESS
    gains: tuple[float, ...] = GAINS

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> InferredFit:
        rng = np.random.default_rng(seed)
        openings = [self._best(pairs, rng) for pairs in poles(train, self.personas)]

        def ask(texts: Sequence[str]) -> Array:
            odds = np.column_stack([self._odds(opening, texts) for opening in openings])
            found: Array = odds - odds.mean(axis=1, keepdims=True)
            return found

        readings = read(train | validation, ask, self.most_texts)
        return inferred(
            readings, train, validation, sharpness=self.sharpness, gains=self.gains, seed=seed
        )

    def _best(self, pairs: Pairs, rng: np.random.Generator) -> str:
        """Persona and demonstrations by which the model tells this person's other pairs best."""
        who = persona(pairs)
        tried = []
        for number in range(self.tries):
            # the pairs that are most their own first; then sets drawn from all
            order = rng.permutation(len(pairs)) if number else np.arange(len(pairs))
            shown, rest = order[: self.demonstrations], order[self.demonstrations :][:_ASKED]
            opening = f"{who}{_demonstrated(pairs.take(shown))}\n\nA new text:\n"
            tried.append((self._margin(opening, pairs.take(rest)), opening))
        return max(tried, key=lambda each: each[0])[1]

    def _margin(self, opening: str, pairs: Pairs) -> float:
        if not len(pairs):
            return 0.0
        names = pairs.texts.names
        liked = self._odds(opening, [names[at] for at in pairs.chosen.tolist()])
        disliked = self._odds(opening, [names[at] for at in pairs.rejected.tolist()])
        margins = liked - disliked
        return float(np.mean(margins > 0.0) + np.tanh(margins.mean()) / 100.0)

    def _odds(self, opening: str, texts: Sequence[str]) -> Array:
        return np.array(self.reader.odds(opening, texts, _CLOSING, _ANSWERS))


def persona(pairs: Pairs) -> str:
    """One sentence: in which measures of style the chosen texts differ most from the rejected."""
    names = pairs.texts.names
    gaps = np.array(
        [
            np.subtract(style_vector(names[one]), style_vector(names[other]))
            for one, other in zip(pairs.chosen.tolist(), pairs.rejected.tolist(), strict=True)
        ]
    )
    means = gaps.mean(axis=0)
    strength = means / (gaps.std(axis=0) / np.sqrt(len(gaps)) + 0.05)
    order = np.argsort(-np.abs(strength), kind="stable")[:_NAMED]
    wishes = [
        f"{'more' if means[at] > 0.0 else 'less'} {FEATURES[at].replace('_', ' ')}"
        for at in order.tolist()
        if means[at] != 0.0
    ]
    return f"I like texts with {', '.join(wishes)}.\n" if wishes else ""


def _demonstrated(pairs: Pairs) -> str:
    names = pairs.texts.names
    return "\n".join(
        f"I liked: {clipped(names[one])}\nI did not like: {clipped(names[other])}"
        for one, other in zip(pairs.chosen.tolist(), pairs.rejected.tolist(), strict=True)
    )
