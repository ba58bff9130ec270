"""What the wording of a prompt asks for, apart from its topic.

Whoever asks for help wants what suits them: there a stated preference counts more than a text that
shares words. Whoever asks for a fact ("When did we meet?") wants what was said, and what was said
around it. English; in another language every prompt counts as a request for help.

The embedding of a request is alike for all requests, whatever they are about: that part is taken
out before the prompt is held against what a person prefers. Which part it is, the encoder itself
says of requests that have no topic.

Source: removing common directions of embeddings, Mu and Viswanath 2018, "All-but-the-Top"
(arXiv:1702.01417), here of prompts alone.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from befit.core.protocols import Encoder

Vector = NDArray[np.float32]

COMMON = 6  # directions that requests share; 3 to 8 do as well
LEAST_TOPIC = 0.5  # length of what is left, below which a prompt is about nothing much
_KEPT = 8  # encoders whose common part is remembered

_ASKED = re.compile(
    r"\W*(?:when|who|whose|whom|where|what|which|how|why"
    r"|did|does|has|have|had|was|were|is|are|do)\b",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"\b(?:recommend\w*|suggest\w*|advi[cs]e\w*|should|could|would|can|ideas?|tips?|best|help"
    r"|plan\w*|good|great|ways?|some|need|want|looking|(?:how|what) (?:do|to))\b",
    re.IGNORECASE,
)
_SELF = re.compile(r"\b(?:i|i'm|i'd|i've|i'll|me|my|mine|myself)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")

_TOPICLESS = (
    "What would you recommend?",
    "Can you suggest some options?",
    "What are some good ideas?",
    "How should I do this?",
    "Which one should I choose?",
    "What are the best ones?",
    "Do you have tips for me?",
    "Can you help me plan?",
    "I am looking for something new.",
    "I want to start with this.",
    "Any advice for my next one?",
    "Could you give me a list?",
    "What are some popular choices?",
    "How can I get better at it?",
    "I am thinking about doing that this weekend.",
    "What do I need to know?",
    "Tell me what to do.",
    "Write me a short text about it.",
    "Is there anything you would add?",
    "What are some ways to do that?",
    "I have to decide soon, please help me.",
    "Which are worth my time?",
    "Explain how it works.",
    "I am planning one for next month.",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt as it is searched for.

    Attributes:
        text: Its words.
        vector: Its unit embedding; None without an encoder.
        topic: The same without what all requests share, of length 1, or less where little is left.
        of_fact: Whether it asks what is or was, rather than for help.
    """

    text: str
    vector: Vector | None = None
    topic: Vector | None = None
    of_fact: bool = False


def asked(prompt: str, encoder: Encoder | None) -> Asked:
    """Read a prompt, with an encoder where there is one."""
    of_fact = asks_of_fact(prompt)
    if encoder is None:
        return Asked(prompt, of_fact=of_fact)
    vector = np.asarray(encoder.encode([prompt])[0], dtype=np.float32)
    return Asked(prompt, vector, vector if of_fact else _topic(vector, encoder), of_fact)


def asks_of_fact(prompt: str) -> bool:
    """Whether a prompt is a question of what is or was, and not a request for help."""
    return _ASKED.match(prompt) is not None and _HELP.search(prompt) is None


def of_oneself(text: str) -> float:
    """The share of a text's sentences in which its writer tells something of themselves."""
    told = [each for each in _SENTENCE.split(text) if each.strip()]
    own = sum(_SELF.search(each) is not None and not each.rstrip().endswith("?") for each in told)
    return own / max(1, len(told))


def _topic(vector: Vector, encoder: Encoder) -> Vector:
    common = _common(encoder)
    left = vector - common.T @ (common @ vector)
    topic: Vector = left / np.float32(max(LEAST_TOPIC, float(np.linalg.norm(left))))
    return topic


_BASES: dict[tuple[str, int], Vector] = {}


def _common(encoder: Encoder) -> Vector:
    """Orthonormal directions of requests without a topic, shape (at most `COMMON`, width)."""
    name = encoder.name, encoder.width
    if name not in _BASES:
        if len(_BASES) >= _KEPT:
            _BASES.clear()
        vectors = np.asarray(encoder.encode(_TOPICLESS), dtype=np.float64)
        basis = np.linalg.svd(vectors, full_matrices=False)[2][:COMMON]
        _BASES[name] = np.ascontiguousarray(basis, dtype=np.float32)
    return _BASES[name]
