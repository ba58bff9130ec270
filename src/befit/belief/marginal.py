"""One coordinate of the posterior while it is being folded. Adds up; decides nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt

from befit.core.preference import Preference

MOST_SOURCES = 32  # ids kept with one belief


@dataclass(slots=True)
class Marginal:
    """A normal belief about one position, and what it rests on.

    Attributes:
        precision: Inverse variance; starts as the prior's.
        shift: Precision times mean.
        influence: How much each piece of evidence said, and its id.
        stated: The part of ``shift`` that the person said in words.
        since: When the present version began.
        reasons: How what spoke against each other was settled.
        question: What to ask the person.
    """

    precision: float = 1.0
    shift: float = 0.0
    influence: list[tuple[float, str]] = field(default_factory=list)
    stated: float = 0.0
    since: datetime | None = None
    reasons: tuple[str, ...] = ()
    question: str = ""

    @property
    def mean(self) -> float:
        """The expected position; may lie outside [-1, 1]."""
        return self.shift / self.precision

    def observe(self, value: float, precision: float, source: str) -> None:
        """Add one observed value."""
        self.precision += precision
        self.shift += precision * value
        self.influence.append((precision, source))

    def belief(self, name: str, scope: str) -> Preference:
        """``weight`` is the share of the doubt of not knowing that is gone, in [0, 1)."""
        variance = min(1.0, 1.0 / self.precision)
        strongest = sorted(self.influence, key=lambda pair: (-pair[0], pair[1]))
        return Preference(
            dimension=name,
            mean=max(-1.0, min(1.0, self.mean)),
            std=sqrt(variance),
            weight=1.0 - variance,
            scope=scope,
            sources=tuple(dict.fromkeys(source for _, source in strongest[:MOST_SOURCES])),
            since=self.since,
            reasons=self.reasons,
            question=self.question,
        )
