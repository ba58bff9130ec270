"""Beliefs in words: one sentence a belief, and the person's own words quoted beside them.

Writes no prompt (that is ``generate.rendering``) and decides nothing about universal values, which
never become instructions here.

Source: survey of personalized alignment, section 4.2 (prompting); profile-augmented prompting of
LaMP (Salemi et al. 2023, arXiv:2304.11406), with beliefs in place of raw history.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from befit.core.dialogue import Conditioning, Context
from befit.core.preference import EXCERPT, TOPIC, Dimension, Evidence, Preference, Profile
from befit.core.protocols import Encoder

STRONG = 0.7  # from here a stance on a topic is a strong one
MILD = 0.45  # below here the sentence yields to the question

_WORD = re.compile(r"[^\W_]+")
_ENDING = re.compile(r"(?:ing|edly|ed|es|ly|s)$")
_STOP = frozenset(
    _WORD.findall(
        "a about an and any are as at be but by can could did do does for from get give had has "
        "have how i if in is it its just make me my need not of on or our please should so some "
        "tell that the their them there they this to up us want was we were what when where which "
        "who why will with would you your"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPersonalizer:
    """Conditions by instructions and quotes, strongest belief first, then by name.

    Attributes:
        threshold: Smallest |mean| of a belief that is worth saying, in [0, 1].
        doubt: Largest standard deviation, as a share of |mean|, of a belief that is worth saying;
            1.2 is 80 % sure of the direction.
        limit: Most beliefs said at once.
        budget: Tokens that quotes may take, counted as 4 characters each.
        encoder: Relates topics to the prompt by meaning, beside by words; None: by words alone.
        related: Cosine from which a topic belongs to the prompt.
    """

    threshold: float = 0.25
    doubt: float = 1.2
    limit: int = 8
    budget: int = 192
    encoder: Encoder | None = None
    related: float = 0.35

    def condition(self, profile: Profile, context: Context) -> Conditioning:
        sure = sorted(
            (p for p in profile.preferences if self._is_sure(p)),
            key=lambda p: (-abs(p.mean) * p.weight, p.dimension),
        )
        dimensions = {d.name: d for d in profile.space.dimensions if not d.universal}
        near = self._near(_phrases([p.dimension for p in sure], dimensions), context)
        always = {name for name, d in dimensions.items() if not d.content}
        said = [p for p in sure if p.dimension in always | near][: self.limit]
        named = [p for p in said if p.dimension in dimensions]
        topics = [p for p in said if p.dimension.startswith(TOPIC)]
        instructions = [_ask(dimensions[p.dimension], p.mean) for p in named]
        excerpts = self._excerpts(profile.evidence, said, near)
        quotes = self._within_budget([*map(_stance, topics), *(e.text for e in excerpts)])
        quoted = [EXCERPT + e.id for e in excerpts if e.text in quotes]
        return Conditioning(
            instructions=tuple(filter(None, instructions)),
            quotes=tuple(quotes),
            beliefs=(*(p.dimension for p in said), *quoted),
        )

    def _is_sure(self, belief: Preference) -> bool:
        return abs(belief.mean) >= self.threshold and belief.std <= self.doubt * abs(belief.mean)

    def _near(self, phrases: Mapping[str, Sequence[str]], context: Context) -> frozenset[str]:
        """The topics and contents that this prompt is about, of those that phrases stand for."""
        asked = _stems(context.prompt)
        near = {name for name, said in phrases.items() if _shares(name, said, asked)}
        rest = [(name, p) for name, said in phrases.items() if name not in near for p in said]
        if self.encoder and rest and context.prompt.strip():
            texts = [context.prompt, *(phrase for _, phrase in rest)]
            prompt, *vectors = self.encoder.encode(texts)
            near |= {
                name
                for (name, _), vector in zip(rest, vectors, strict=True)
                if sum(a * b for a, b in zip(prompt, vector, strict=True)) >= self.related
            }
        return frozenset(near)

    @staticmethod
    def _excerpts(
        evidence: Sequence[Evidence], said: Sequence[Preference], near: frozenset[str]
    ) -> list[Evidence]:
        """The person's own words that no belief said already and that are not off topic."""
        covered = {p.dimension for p in said}
        return [
            e
            for e in evidence
            if e.text.strip()
            and not (
                e.values
                and all(d in covered or (d.startswith(TOPIC) and d not in near) for d in e.values)
            )
        ]

    def _within_budget(self, quotes: Sequence[str]) -> list[str]:
        left, kept = self.budget * 4, []
        for quote in dict.fromkeys(quotes):
            if len(quote) <= left:
                kept.append(quote)
                left -= len(quote)
        return kept


def _phrases(
    names: Sequence[str], dimensions: Mapping[str, Dimension]
) -> dict[str, tuple[str, ...]]:
    """What stands for each open topic, and for each dimension that is about content."""
    found: dict[str, tuple[str, ...]] = {
        name: (name.removeprefix(TOPIC),) for name in names if name.startswith(TOPIC)
    }
    for name in names:
        if name in dimensions and dimensions[name].content:
            d = dimensions[name]
            found[name] = (name.replace("_", " "), *d.words_low, *d.words_high)
    return found


def _shares(name: str, phrases: Sequence[str], asked: set[str]) -> bool:
    """Whether the prompt has a word of a topic, or all words of a phrase for a dimension."""
    stems = [_stems(phrase) for phrase in phrases]
    if name.startswith(TOPIC):
        return any(asked & each for each in stems)
    return any(each and each <= asked for each in stems)


def _ask(dimension: Dimension, mean: float) -> str:
    """The instruction for one belief, worded by its strength; "" where the space has no words."""
    ask = dimension.ask_high if mean > 0 else dimension.ask_low
    mild = ask and abs(mean) < MILD
    return f"Where it suits the question: {ask[0].lower()}{ask[1:]}" if mild else ask


def _stance(belief: Preference) -> str:
    verb = "like" if belief.mean > 0 else "dislike"
    much = "strongly " if abs(belief.mean) >= STRONG else ""
    return f"They {much}{verb} {belief.dimension.removeprefix(TOPIC)}"


def _stems(text: str) -> set[str]:
    words = (word for word in _WORD.findall(text.casefold()) if word not in _STOP)
    return {_ENDING.sub("", word) if len(word) > 4 else word.rstrip("s") for word in words}
