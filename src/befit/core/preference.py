"""What they want: dimensions, evidence, and the beliefs that evidence supports.

A belief is never stored as a fact: it is what a fold over evidence says on a given day in a given
scope, with its uncertainty and the ids of the evidence behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from befit.core.people import EvidenceKind, UserId

TOPIC = "topic:"  # a Preference whose dimension starts so is a stance on an open topic
EXCERPT = "said:"  # heads the id of an excerpt among the names of what an answer used
USEFUL = "useful:"  # heads the name of what an answer used, in evidence of how the answer was liked


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis along which answers differ; -1 is ``low``, +1 is ``high``.

    A ``universal`` dimension belongs to everyone: evidence may tighten it and never loosen it.

    Attributes:
        name: Identifier, unique within its space.
        low: What the negative end looks like, in words a person reads.
        high: What the positive end looks like.
        universal: Whether it is one of the values that hold for everyone.
        feature: Name of the surface feature that measures it on a text; "" where none exists.
        ask_low: The instruction that asks a model for the negative end.
        ask_high: The instruction that asks a model for the positive end.
        words_low: Words in which people ask for the negative end ("short", "brief").
        words_high: Words in which people ask for the positive end.
        content: Whether it is about what is spoken of (gardening) and not about how (short), so
            that it concerns only some questions.
    """

    name: str
    low: str
    high: str
    universal: bool = False
    feature: str = ""
    ask_low: str = ""
    ask_high: str = ""
    words_low: tuple[str, ...] = ()
    words_high: tuple[str, ...] = ()
    content: bool = False


@dataclass(frozen=True, slots=True)
class PreferenceSpace:
    """A versioned, ordered set of dimensions: the coordinates of U."""

    name: str
    version: str
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two texts for one prompt, of which the person preferred one.

    Attributes:
        prompt: What was asked; may be empty.
        chosen: The preferred text.
        rejected: The other text.
        weight: How much the observation counts, in (0, 1]; a shown edit is 1, a copy is less.
    """

    prompt: str
    chosen: str
    rejected: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One text for one prompt, and how good the person found it: an ordinal reaction.

    Attributes:
        prompt: What was asked; may be empty.
        text: What was graded.
        value: From worst to best, in [0, 1].
        weight: How much the observation counts, in (0, 1].
    """

    prompt: str
    text: str
    value: float
    weight: float = 1.0


#: Who wrote the words of a piece of evidence. Only what comes from the person may move a belief.
Origin = Literal["person", "model", "tool", "document", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One dated observation about a person. Memory is an append-only list of these.

    Attributes:
        id: Unique within the store.
        user: Whose it is.
        kind: Where the preference showed itself.
        at: When it was true, always UTC.
        text: The words, where there are any; a person's own words, never a model's.
        values: Dimension (or ``topic:...``) -> observed position in [-1, 1].
        noise: Standard deviation of those observations, > 0; a plain statement is about 0.3.
        pair: A comparison of two texts, where that is what was observed.
        graded: A text and its grade, where that is what was observed.
        scope: Where it holds: "work", "work/mail"; "" holds everywhere.
        source: The response id it came from, if any.
        by: Who reacted; "ai" is a model standing in for the person.
        learned: When it became known, UTC; None is the time at which it was true.
        origin: Who wrote the words.
    """

    id: str
    user: UserId
    kind: EvidenceKind
    at: datetime
    text: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.3
    pair: Pair | None = None
    scope: str = ""
    source: str = ""
    by: Literal["human", "ai"] = "human"
    graded: Graded | None = None
    learned: datetime | None = None
    origin: Origin = "person"


@dataclass(frozen=True, slots=True)
class Gaussian:
    """A multivariate normal as plain numbers, so that core needs no array library.

    Attributes:
        mean: Length r.
        covariance: Lower triangle, row by row, length r (r + 1) / 2.
    """

    mean: tuple[float, ...]
    covariance: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What is believed of one person on one dimension, or on one open topic.

    Attributes:
        dimension: A name of the space, or ``topic:`` and the topic.
        mean: Position in [-1, 1].
        std: How unsure; 1.0 is "no idea".
        weight: How much the person cares, >= 0.
        scope: Where the belief was asked for; "" is everywhere.
        sources: Ids of the evidence behind it, strongest first.
        since: When the current version of it began, where a change was found; None is ever since.
        reasons: How what spoke against each other was settled, in words a person reads.
        question: What to ask the person where it cannot be settled; "" where it can.
    """

    dimension: str
    mean: float
    std: float = 1.0
    weight: float = 1.0
    scope: str = ""
    sources: tuple[str, ...] = ()
    since: datetime | None = None
    reasons: tuple[str, ...] = ()
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """u in U, as recalled for one context: a snapshot, never mutated.

    Attributes:
        user: Whose it is.
        space: The named coordinates.
        preferences: Beliefs on named dimensions and open topics.
        evidence: The excerpts that matter for this prompt, best first, within a token budget.
        taste: Posterior over the latent coordinates of the personal reward; None before a reward
            model was learned.
        caution: Universal value -> extra strictness in [0, 1]; written by the boundary alone.
        version: Changes whenever what is believed changes.
    """

    user: UserId
    space: PreferenceSpace
    preferences: tuple[Preference, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    taste: Gaussian | None = None
    caution: Mapping[str, float] = field(default_factory=dict)
    version: str = ""
