"""What every act of the demonstration shares: the cycle, the clock and who is told of progress."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from befit.core.dialogue import Context, Message
from befit.core.people import UserId
from befit.cycle import Cycle
from befit.generate.hf import HfPolicy

START = datetime.fromisoformat("2026-01-05T09:00:00+00:00")  # a fixed day: same seed, same bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The cycle under demonstration.

    Attributes:
        cycle: Built from settings as anyone's is.
        model: The language model inside it, for log-likelihoods.
        say: Called with a line of progress.
    """

    cycle: Cycle
    model: HfPolicy
    say: Callable[[str], None]


def asks(
    name: str, question: str, *, day: int = 1, seed: int = 0, tokens: int | None = None
) -> Context:
    """A person asks a question some days after the start, and wants at most so long an answer."""
    return Context(
        user=UserId(name),
        messages=(Message("user", question),),
        at=START + timedelta(days=day),
        seed=seed,
        max_tokens=tokens,
    )
