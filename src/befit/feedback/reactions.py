"""Reads reactions: what each says of the person, and what pairs it teaches a reward.

A rating is a grade, of the answer and of what the answer had used, a choice and an edit are pairs,
a comment is read like any statement. What was only done is a light grade: copied, regenerated,
abandoned, and dwell against the reading time. A click beats what was shown beside it, and counts
the more the further down it was, by as much as fewer people look there. Judges no value, calls no
model, and learns nothing from a refusal, which was the boundary's answer and not the model's.

Source: dwell time against reading time, Yi et al. 2014, "Beyond clicks: dwell time for
personalization" (RecSys); reading rate, Brysbaert 2019 (238 words a minute); inverse propensity of
the position of a click, Joachims, Swaminathan and Schnabel 2017.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from befit.core.preference import EXCERPT, USEFUL, Evidence, Graded, Pair, PreferenceSpace
from befit.features.forget_requests import asks
from befit.features.scopes import scope_of
from befit.features.statements import read_statement
from befit.feedback.provenance import own_words, placed

AI_TRUST = 0.5  # of a comparison by a model; of its evidence the fold decides how much it counts
CLICKED = 0.1  # what a click on the first of a list counts, where everyone looks
FURTHEST = 5.0  # how many times more than that a click counts at most, however far down
LEAST = 0.02  # weight below which a grade is not worth keeping
WORDS_PER_SECOND = 238 / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionInterpreter:
    """Turns reactions into evidence and comparisons.

    Attributes:
        space: The named dimensions that ratings and comments may speak of.
        behaviour_weight: What the firmest thing that was only done counts beside a rating, in
            (0, 1].
        position_bias: How steeply attention falls with the position in a list: the one at k is
            looked at with probability ``k ** -position_bias``, >= 0.
        margin: Smallest difference of two ratings of one prompt that makes a pair, in (0, 1].
    """

    space: PreferenceSpace
    behaviour_weight: float = 0.3
    position_bias: float = 1.0
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
                return self._grade(interaction, newest, newest.value, 1.0)
            case Behaviour(name="clicked"):
                return self._clicked(interaction, newest)
            case Behaviour():
                liking = _liking(newest, interaction.response.text)
                weight = self.behaviour_weight * abs(liking)
                return self._grade(interaction, newest, 1.0 if liking > 0.0 else 0.0, weight)

    def comparisons(self, interactions: Sequence[Interaction]) -> Sequence[Comparison]:
        """Pairs in the order of the turns: choices, edits, clicks, two answers to one prompt."""
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
        if not text.strip() or asks(text):  # what is to be forgotten is not told anew
            return []
        values = read_statement(self.space, text)
        found = _evidence(turn, reaction, kind=EvidenceKind.STATED, text=text, values=values)
        return [replace(found, scope=found.scope or scope_of(text))]

    def _pair(self, turn: Interaction, reaction: Feedback, weight: float = 1.0) -> list[Evidence]:
        return [
            _evidence(
                turn,
                reaction,
                part=part,
                pair=Pair(
                    prompt=turn.context.prompt,
                    chosen=pair.chosen.text,
                    rejected=pair.rejected.text,
                    weight=weight,
                ),
            )
            for part, pair in enumerate(self._direct(turn, (reaction,)))
            if turn.response.finish != "content_filter"
        ]

    def _clicked(self, turn: Interaction, reaction: Behaviour) -> list[Evidence]:
        """Pairs where it is known what stood beside it, else a grade."""
        weight = self._attention(reaction.value)
        each = weight / max(1, len(turn.compared))
        return (self._pair(turn, reaction, each) if each else []) or self._grade(
            turn, reaction, 1.0, weight
        )

    def _attention(self, position: float) -> float:
        """What a click at a position counts, the first being 1; in [0, 1]."""
        if position < 1.0:
            return 0.0
        return CLICKED * min(FURTHEST, float(position**self.position_bias))

    def _grade(
        self, turn: Interaction, reaction: Feedback, value: float, weight: float
    ) -> list[Evidence]:
        if turn.response.finish == "content_filter" or weight < LEAST:
            return []
        graded = Graded(
            prompt=turn.context.prompt, text=turn.response.text, value=value, weight=weight
        )
        return [_evidence(turn, reaction, graded=graded), *_useful(turn, reaction, value, weight)]

    def _direct(
        self, turn: Interaction, reactions: Sequence[Feedback] | None = None
    ) -> Iterator[Comparison]:
        """Choices, edits and clicks of one turn."""
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
                case Behaviour(name="clicked"):
                    weight *= self._attention(reaction.value) / max(1, len(turn.compared))
                    for over in turn.compared:
                        if weight and over.finish != "content_filter" and over.text != shown.text:
                            yield Comparison(
                                context=turn.context,
                                chosen=shown,
                                rejected=_draft(over),
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
    pair: Pair | None = None,
    graded: Graded | None = None,
    part: int = 0,
) -> Evidence:
    said = f"{turn.context.user}\0{len(turn.feedback)}\0{reaction}" + (f"\0{part}" if part else "")
    return Evidence(
        id=sha256(said.encode()).hexdigest()[:32],
        user=turn.context.user,
        kind=kind,
        at=reaction.at,
        text=text,
        values=values or {},
        pair=pair,
        graded=graded,
        scope=turn.context.scope,
        source=turn.response.id,
        by=reaction.by,
    )


def _useful(turn: Interaction, reaction: Feedback, value: float, weight: float) -> list[Evidence]:
    """How an answer was liked, for what it used: one piece for beliefs, one for each excerpt.

    All that was used shares the praise or the blame; who deserved it shows over many answers. What
    is said of an excerpt has it as its source, and falls with it.
    """
    used = turn.response.beliefs
    if not used:
        return []
    liking, noise = 2.0 * value - 1.0, math.sqrt(len(used) / weight)
    beliefs = {USEFUL + name: liking for name in used if not name.startswith(EXCERPT)}
    made = [_evidence(turn, reaction, values=beliefs, part=1)] if beliefs else []
    made += [
        replace(
            _evidence(turn, reaction, values={USEFUL + name: liking}, part=part),
            source=name.removeprefix(EXCERPT),
        )
        for part, name in enumerate(used, 2)
        if name.startswith(EXCERPT)
    ]
    return [replace(each, noise=noise) for each in made]


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
    if reaction.name == "abandoned":
        return -0.5 * min(reaction.value, 1.0)
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
