"""Reads reactions: what each says of the person, and what pairs it teaches a reward.

A rating says little about each of many dimensions, so its noise is large; a choice and an edit are
pairs; a comment is read like any statement; behaviour is weak and debiased. Judges no value, calls
no model, and learns nothing from a refusal, which was the boundary's answer and not the model's.

Source: dwell time against reading time, Yi et al. 2014, "Beyond clicks: dwell time for
personalization" (RecSys); reading rate, Brysbaert 2019 (238 words a minute).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations

from befit.core.dialogue import Draft, Response
from befit.core.feedback import (
    Behaviour,
    Choice,
    Comment,
    Comparison,
    Edit,
    Feedback,
    Interaction,
    Rating,
)
from befit.core.people import EvidenceKind
from befit.core.preference import Evidence, Pair, PreferenceSpace
from befit.features.statements import read_statement
from befit.features.style import measure
from befit.feedback.provenance import own_words, placed

AI_TRUST = 0.5  # of a comparison by a model; of its evidence the fold decides how much it counts
MARKED = 0.3  # |style| from which "not like this" points somewhere
WORDS_PER_SECOND = 238 / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionInterpreter:
    """Turns reactions into evidence and comparisons.

    Attributes:
        space: The named dimensions that ratings and comments may speak of.
        rating_noise: Standard deviation of a dimension's value at the firmest rating, > 0.
        behaviour_noise: The same for what was only done, > 0.
        margin: Smallest difference of two ratings of one prompt that makes a pair, in (0, 1].
    """

    space: PreferenceSpace
    rating_noise: float = 1.2
    behaviour_noise: float = 3.0
    margin: float = 0.25

    def evidence(self, interaction: Interaction) -> Sequence[Evidence]:
        """What the newest reaction says; nothing where it says nothing of the person."""
        newest = interaction.feedback[-1]
        match newest:
            case Comment():
                return self._comment(interaction, newest)
            case Edit() | Choice():
                return self._pair(interaction, newest)
            case Rating():
                liking = 2.0 * newest.value - 1.0
                return self._near(interaction, newest, liking, self.rating_noise)
            case Behaviour():
                liking = _liking(newest, interaction.response.text)
                return self._near(interaction, newest, liking, self.behaviour_noise)

    def comparisons(self, interactions: Sequence[Interaction]) -> Sequence[Comparison]:
        """Pairs in the order of the turns: choices, edits, and two answers to one prompt."""
        turns = [turn for turn in interactions if turn.response.finish != "content_filter"]
        direct = [pair for turn in turns for pair in self._direct(turn)]
        asked: dict[tuple[str, object], list[Interaction]] = {}
        for turn in turns:
            asked.setdefault((turn.context.user, turn.context.messages), []).append(turn)
        across = [
            pair
            for same in asked.values()
            for first, second in combinations(same, 2)
            for pair in _across(first, second, self.margin)
        ]
        return direct + across

    def _comment(self, turn: Interaction, reaction: Comment) -> list[Evidence]:
        text = own_words(reaction.text, [*placed(self.space, turn), turn.response.text])
        if not text.strip():
            return []
        values = read_statement(self.space, text)
        return [_evidence(turn, reaction, kind=EvidenceKind.STATED, text=text, values=values)]

    def _pair(self, turn: Interaction, reaction: Edit | Choice) -> list[Evidence]:
        return [
            _evidence(
                turn,
                reaction,
                pair=Pair(
                    prompt=turn.context.prompt,
                    chosen=pair.chosen.text,
                    rejected=pair.rejected.text,
                ),
            )
            for pair in self._direct(turn, (reaction,))
            if turn.response.finish != "content_filter"
        ]

    def _near(
        self, turn: Interaction, reaction: Feedback, liking: float, noise: float
    ) -> list[Evidence]:
        """Liked: near the style of the answer. Disliked: away from where it was marked."""
        if turn.response.finish == "content_filter" or abs(liking) < 0.1:
            return []
        style = measure(turn.response.text)
        seen = {d.name: style[d.feature] for d in self.space.dimensions if d.feature in style}
        if liking < 0:
            seen = {name: -value for name, value in seen.items() if abs(value) >= MARKED}
        spread = noise / (abs(liking) * (1.0 if liking > 0 else 0.5))
        return [_evidence(turn, reaction, values=seen, noise=spread)] if seen else []

    def _direct(
        self, turn: Interaction, reactions: Sequence[Feedback] | None = None
    ) -> Iterator[Comparison]:
        """Choices and edits of one turn."""
        shown = _draft(turn.response)
        compared = {response.id: response for response in turn.compared}
        for reaction in turn.feedback if reactions is None else reactions:
            weight = AI_TRUST if reaction.by == "ai" else 1.0
            match reaction:
                case Choice() if reaction.over in compared:
                    over = compared[reaction.over]
                    if over.finish != "content_filter" and over.text != shown.text:
                        yield Comparison(
                            context=turn.context,
                            chosen=shown,
                            rejected=_draft(over),
                            weight=weight,
                        )
                case Edit():
                    text = own_words(reaction.text, self._recalled(turn))
                    if text.strip() and text != shown.text:
                        yield Comparison(
                            context=turn.context,
                            chosen=Draft(text=text, policy="person"),
                            rejected=shown,
                            weight=weight,
                        )
                case _:
                    pass

    def _recalled(self, turn: Interaction) -> list[str]:
        """What an edit may not teach: the prompt's own text, unless the answer already said it."""
        return [text for text in placed(self.space, turn) if text not in turn.response.text]


def _evidence(
    turn: Interaction,
    reaction: Feedback,
    *,
    kind: EvidenceKind = EvidenceKind.BEHAVIOUR,
    text: str = "",
    values: dict[str, float] | None = None,
    noise: float = 0.3,
    pair: Pair | None = None,
) -> Evidence:
    return Evidence(
        id=sha256(f"{turn.context.user}\0{len(turn.feedback)}\0{reaction}".encode()).hexdigest()[
            :32
        ],
        user=turn.context.user,
        kind=kind,
        at=reaction.at,
        text=text,
        values=values or {},
        noise=noise,
        pair=pair,
        scope=turn.context.scope,
        source=turn.response.id,
        by=reaction.by,
    )


def _draft(response: Response) -> Draft:
    return Draft(text=response.text, policy=response.draft.policy, finish=response.finish)


def _liking(reaction: Behaviour, text: str) -> float:
    """What a behaviour says, in [-1, 1]: dwell beyond or short of the reading time of the text.

    Longer than ten times the reading time, the person was away. Of other behaviours nobody knows.
    """
    if reaction.name == "copied":
        return min(reaction.value, 1.0)
    if reaction.name == "regenerated":
        return -min(reaction.value, 1.0)
    if reaction.name != "dwell_seconds":
        return 0.0
    expected = max(len(text.split()) / WORDS_PER_SECOND, 1.0)
    ratio = reaction.value / expected
    return 0.0 if ratio > 10.0 else max(-1.0, min(1.0, math.log2(max(ratio, 0.25)) / 2.0))


def _across(first: Interaction, second: Interaction, margin: float) -> Iterator[Comparison]:
    """Two answers to one prompt: rated apart, or the first asked again and the second kept."""
    ratings = [_rating(first), _rating(second)]
    if ratings[0] is not None and ratings[1] is not None:
        gap = ratings[1][0] - ratings[0][0]
        if abs(gap) >= margin:
            better, worse = (second, first) if gap > 0 else (first, second)
            yield _comparison(better, worse, abs(gap) * min(ratings[0][1], ratings[1][1]))
    elif _did(first, "regenerated") and not _did(second, "regenerated") and _accepted(second):
        yield _comparison(second, first, 0.3)


def _comparison(better: Interaction, worse: Interaction, weight: float) -> Comparison:
    return Comparison(
        context=better.context,
        chosen=_draft(better.response),
        rejected=_draft(worse.response),
        weight=weight,
    )


def _rating(turn: Interaction) -> tuple[float, float] | None:
    """The last rating and how far it is trusted."""
    rated = [r for r in turn.feedback if isinstance(r, Rating)]
    return (rated[-1].value, AI_TRUST if rated[-1].by == "ai" else 1.0) if rated else None


def _did(turn: Interaction, name: str) -> bool:
    return any(isinstance(r, Behaviour) and r.name == name and r.value > 0 for r in turn.feedback)


def _accepted(turn: Interaction) -> bool:
    rating = _rating(turn)
    return _did(turn, "copied") or (rating is not None and rating[0] > 0.5)
