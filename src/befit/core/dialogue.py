"""What is said: context in, drafts proposed, responses let through.

A `Draft` is what a model proposed; nobody may see it. A `Passage` is a piece and a `Response` the
whole of what passed the boundary. Edges accept only the latter two, so that skipping the boundary
is a type error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Self

from befit.core.people import UserId
from befit.core.preference import Gaussian

Finish = Literal["stop", "length", "content_filter", "tool_calls", "error"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """c in C: who asks what, when and in which part of their life.

    Attributes:
        user: The person.
        messages: The conversation so far, last turn last.
        at: Now, UTC. Components never read the clock themselves.
        scope: "work", "home"; "" is everywhere.
        incognito: Nothing of this turn may be kept.
        seed: For the policies that sample.
        max_tokens: The longest answer that the caller wants; None leaves it to the policy.
        temperature: As the caller wants it, >= 0; None leaves it to the policy.
    """

    user: UserId
    messages: tuple[Message, ...]
    at: datetime
    scope: str = ""
    incognito: bool = False
    seed: int = 0
    max_tokens: int | None = None
    temperature: float | None = None

    @property
    def prompt(self) -> str:
        """The last thing the person said; empty if nothing."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """What a model is conditioned on for this person and context.

    One slot per mechanism (survey section 4.2), so mechanisms compose: ``a | b`` joins the lists,
    ``b`` wins the single slots, and ``caution`` takes the stricter of the two.

    Attributes:
        instructions: Prompting: sentences the library wrote, one a belief.
        quotes: Prompting: the person's own words; data, never instructions.
        examples: Prompting: demonstrations.
        objectives: Encoding: dimension -> wanted position in [-1, 1].
        taste: Encoding: posterior over the latent coordinates of the personal reward.
        adapter: Parameters: an artifact id.
        tools: Agent: what this person's workflow may use.
        beliefs: Names of the beliefs that were used, for the person to read.
        caution: Universal value -> extra strictness in [0, 1].
    """

    instructions: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    examples: tuple[tuple[Message, ...], ...] = ()
    objectives: Mapping[str, float] = field(default_factory=dict)
    taste: Gaussian | None = None
    adapter: str | None = None
    tools: tuple[str, ...] = ()
    beliefs: tuple[str, ...] = ()
    caution: Mapping[str, float] = field(default_factory=dict)

    def __or__(self, other: Self) -> Self:
        """Merge two conditionings; associative, with ``Conditioning()`` as unit."""
        values = {**self.caution, **other.caution}
        return replace(
            self,
            instructions=self.instructions + other.instructions,
            quotes=self.quotes + other.quotes,
            examples=self.examples + other.examples,
            objectives={**self.objectives, **other.objectives},
            taste=self.taste if other.taste is None else other.taste,
            adapter=self.adapter if other.adapter is None else other.adapter,
            tools=self.tools + other.tools,
            beliefs=self.beliefs + other.beliefs,
            caution={
                name: max(self.caution.get(name, 0.0), other.caution.get(name, 0.0))
                for name in values
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Text that a policy proposes. It has not passed the boundary; nobody may see it."""

    text: str
    policy: str
    finish: Finish = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one guard decided, and why.

    Attributes:
        guard: Who says so.
        allowed: Whether the text may pass.
        reason: In words a person reads.
        score: The guard's estimate in [0, 1], where it has one; higher is worse.
        threshold: The score from which it refuses, where it has one.
    """

    guard: str
    allowed: bool
    reason: str = ""
    score: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an answer that every guard allowed. Only ``values.boundary`` makes one."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """y in Y: text that passed the boundary. Only ``values.boundary`` makes one.

    Attributes:
        id: To react to it by.
        text: What the person may see.
        draft: What the model had proposed.
        verdicts: What each guard said.
        finish: Why it ended; ``content_filter`` where the boundary ended it.
        beliefs: Names of the beliefs that were used.
    """

    id: str
    text: str
    draft: Draft
    verdicts: tuple[Verdict, ...]
    finish: Finish = "stop"
    beliefs: tuple[str, ...] = ()
