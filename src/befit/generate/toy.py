"""A policy without a model, for tests and lessons: it obeys a few plain wishes, visibly.

Wishes are read from the words of the instructions and from the objectives of the same names. Same
context, conditioning and n: same drafts. It knows nothing and answers no question.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from befit.core.dialogue import Conditioning, Context, Draft, Finish

_WISHES: Mapping[str, tuple[str, float]] = {
    "short": ("length", -1.0),
    "brief": ("length", -1.0),
    "briefly": ("length", -1.0),
    "concise": ("length", -1.0),
    "few": ("length", -1.0),
    "long": ("length", 1.0),
    "longer": ("length", 1.0),
    "length": ("length", 1.0),
    "detail": ("length", 1.0),
    "detailed": ("length", 1.0),
    "list": ("lists", 1.0),
    "lists": ("lists", 1.0),
    "bullet": ("lists", 1.0),
    "bullets": ("lists", 1.0),
    "warm": ("warmth", 1.0),
    "warmly": ("warmth", 1.0),
    "friendly": ("warmth", 1.0),
    "emoji": ("emoji", 1.0),
    "emojis": ("emoji", 1.0),
    "example": ("examples", 1.0),
    "examples": ("examples", 1.0),
}
_NOT = frozenset({"no", "not", "never", "avoid", "without", "skip", "leave"})
_PARTS = re.compile(r"\b(?:short|long)\b,? (?:flowing )?(?:sentences|paragraphs)")
_SENTENCES = (
    "The main thing about {topic} is where you start.",
    "Look at what you already have before you add anything.",
    "Take one step, then look again.",
    "Write down what worked and what did not.",
    "Ask someone who has done it.",
    "Leave some room for what you cannot foresee.",
    "Come back to it after a week.",
    "Change one thing at a time.",
)
_EXAMPLE = "For example, try the smallest part of it first."
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyPolicy:
    """Deterministic sentences about the prompt's last words.

    Length, lists, warmth, emoji and examples follow the wishes. Draft 0 obeys them best; draft i
    says i sentences more, so that there is something to choose from.

    Attributes:
        sentences: How many an answer has when nothing is wished, from 1 to 5.
    """

    sentences: int = 3

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        drafts = []
        for more in range(n):
            pieces = _pieces(self._text(context, conditioning, more))
            kept = pieces[: context.max_tokens]
            finish: Finish = "stop" if kept == pieces else "length"
            drafts.append(Draft(text="".join(kept), policy="toy", finish=finish))
        return tuple(drafts)

    def generate_batch(self, requests: Sequence[tuple[Context, Conditioning]]) -> Sequence[Draft]:
        return tuple(self.generate(*request, 1)[0] for request in requests)

    async def stream(self, context: Context, conditioning: Conditioning) -> AsyncIterator[str]:
        """The text of draft 0, word by word."""
        for piece in _pieces(self._text(context, conditioning, 0))[: context.max_tokens]:
            yield piece
            await asyncio.sleep(0)

    def _text(self, context: Context, conditioning: Conditioning, more: int) -> str:
        wish = _wishes(conditioning)
        count = max(1, self.sentences + round(2 * wish.get("length", 0.0)) + more)
        topic = " ".join(_WORD.findall(context.prompt)[-3:]) or "this"
        start = context.seed % len(_SENTENCES)
        said = [_SENTENCES[(start + i) % len(_SENTENCES)].format(topic=topic) for i in range(count)]
        if wish.get("examples", 0.0) > 0:
            said.append(_EXAMPLE)
        if wish.get("lists", 0.0) > 0:
            text = "\n".join(f"- {sentence}" for sentence in said)
        else:
            text = " ".join(said)
        if wish.get("warmth", 0.0) > 0:
            text = (
                f"I am glad you ask. {text}" if "\n" not in text else f"I am glad you ask.\n{text}"
            )
        return f"{text} \U0001f642" if wish.get("emoji", 0.0) > 0 else text


def _pieces(text: str) -> list[str]:
    """Words with the space after them: this policy's tokens."""
    return re.findall(r"\S+\s*|\s+", text)


def _wishes(conditioning: Conditioning) -> dict[str, float]:
    """Wished-for directions, from the objectives and from the words of the instructions."""
    found = dict(conditioning.objectives)
    for instruction in conditioning.instructions:
        # short sentences do not make a short answer
        words = _WORD.findall(_PARTS.sub("", instruction.lower()))
        sign = -1.0 if _NOT & set(words) else 1.0
        for word in words:
            if word in _WISHES:
                name, direction = _WISHES[word]
                found[name] = sign * direction
    return found
