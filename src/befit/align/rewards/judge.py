"""A language model as judge: shown who someone is and what they chose, which would they prefer?

The model sees what the person said of themselves, some of their comparisons, a prompt and two
texts, and the log-odds of its answering A over B is taken in both orders:

    j(y, y') = (odds(A = y, B = y') - odds(A = y', B = y)) / 2,     logit = slope * j(y, y').

Whatever it likes about a letter or a place cancels, and turning a pair round turns the sign. The
comparisons shown are those in which most of the history agrees, so that their order is nothing;
the slope alone is chosen, on people kept aside. Answers are kept, so that none is asked twice.

Found when checking: with the embedded model of 135 million parameters it is a coin that costs half
a second a pair on one core. Of some 85 pairs of four people after 4 shots .506 were right on
made-up people, .447 on dsp and .384 on polis, and another person's history did no worse. The method
is for larger models, and `most_tested` keeps an evaluation of it within minutes.

Source: Zheng et al. 2023, arXiv:2306.05685 (judges, and their preference for a place); the person
in the prompt: Dong et al. 2024, arXiv:2406.11657.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from befit.align.rewards.kernel import unit
from befit.align.rewards.likelihood_ratio import clipped
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.reader import LocalReader, Reads
from befit.align.rewards.tuning import chosen, episodes
from befit.features.recognition import digest

_CLOSING = "\n\nWhich text would I prefer? Answer with A or B alone."
_MOST_KEPT = 50_000  # answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A language model that is asked about every pair.

    Attributes:
        reader: The language model.
        most_shown: Comparisons of a history that it sees.
        most_tested: People that an evaluation may ask it about: an answer takes half a second,
            and nothing can be computed ahead.
        aside: People kept aside that the slope is chosen by.
    """

    reader: Reads = field(default_factory=lambda: LocalReader(most_tokens=160))
    most_shown: int = 3
    most_tested: int = 4
    aside: int = 3

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True  # to choose what is shown

    def fit(self, train: Population, validation: Population, *, seed: int) -> "JudgeFit":
        fitted = JudgeFit(
            reader=self.reader,
            most_shown=self.most_shown,
            most_tested=self.most_tested,
            slope=1.0,
        )
        asked = episodes(validation, seed, shots=(4,), most_people=self.aside)
        few = [replace(episode, query=episode.query.take(slice(0, 6))) for episode in asked]
        if not few:
            return fitted
        return chosen([fitted], few, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgeFit:
    """The model, and how far its answers are to be trusted.

    Attributes:
        reader: The language model.
        most_shown: Comparisons of a history that it sees.
        slope: Of the logits.
        most_tested: People that an evaluation may ask it about.
    """

    reader: Reads
    most_shown: int
    slope: float
    most_tested: int = 4
    _answers: dict[tuple[str, str], float] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def adapt(self, people: Sequence[Person]) -> Sequence[str]:
        """What the model is told of each person; "" of who said nothing."""
        return [_told(person, self.most_shown) for person in people]

    def logits(self, state: str, pairs: Pairs) -> Array:
        names = (*pairs.texts.names, "")  # -1 is no prompt
        return self.slope * np.array(
            [
                self._preferred(state, names[prompt], names[one], names[other])
                for prompt, one, other in zip(
                    pairs.prompts.tolist(),
                    pairs.chosen.tolist(),
                    pairs.rejected.tolist(),
                    strict=True,
                )
            ],
            dtype=np.float64,
        )

    def _preferred(self, state: str, prompt: str, one: str, other: str) -> float:
        """Mean log-odds of ``one`` in both places."""
        if one > other:
            return -self._preferred(state, prompt, other, one)
        if one == other:
            return 0.0
        asked = [_asked(prompt, one, other), _asked(prompt, other, one)]
        key = digest(state), digest(asked[0])
        if key not in self._answers:
            if len(self._answers) >= _MOST_KEPT:
                self._answers.clear()
            # the two orders make one batch, whatever else is asked: so always the same bits
            first, second = self.reader.odds(f"{state}\n\n", asked, _CLOSING, ("A", "B"))
            self._answers[key] = (first - second) / 2.0
        return self._answers[key]


def _told(person: Person, most: int) -> str:
    """What they said of themselves, and the comparisons most like all of theirs."""
    pairs = person.pairs.decided()
    about = [f"My {name}: {clipped(value)}" for name, value in sorted(person.about.items())]
    if not len(pairs):
        return "\n".join(about)
    x = unit(pairs.differences)
    names = pairs.texts.names
    # summed in one order, and ties go by the texts: the order of the history is nothing
    typical = np.round(x @ x.sum(axis=0), 9)
    order = sorted(
        range(len(pairs)),
        key=lambda at: (-typical[at], names[pairs.chosen[at]], names[pairs.rejected[at]]),
    )
    shown = [
        f"I prefer: {clipped(names[pairs.chosen[at]])}\nto: {clipped(names[pairs.rejected[at]])}"
        for at in order[:most]
    ]
    return "\n".join([*about, *shown])


def _asked(prompt: str, one: str, other: str) -> str:
    lines = [f"A: {clipped(one)}", f"B: {clipped(other)}"]
    return "\n".join([f"Asked: {clipped(prompt)}", *lines] if prompt else lines)
