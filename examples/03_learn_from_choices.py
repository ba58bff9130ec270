"""A person states nothing and only chooses; what they want is learned from that."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from befit import (
    Choice,
    Conditioning,
    Context,
    Draft,
    Message,
    Response,
    UserId,
    build_cycle,
    load_settings,
)

path = Path(tempfile.mkdtemp()) / "befit.db"
cycle = build_cycle(load_settings(memory={"path": str(path)}, policy={"use": "toy"}))
dora, start = UserId("dora"), datetime(2026, 1, 5, 9, tzinfo=UTC)
STEPS = ("Buy a good pan", "Learn five dishes", "Cook every Sunday", "Write down what worked")
PROSE = ". ".join(STEPS) + "."
LIST = "\n".join(f"- {step}." for step in STEPS)


def shown(context: Context, text: str) -> Response:
    """Let a text pass the boundary and keep it, as an application with its own model would."""
    response = cycle.admit(context, Conditioning(), [Draft(text=text, policy="mine")])
    cycle.record(context, response)
    return response


for day in range(12):
    at = start + timedelta(days=day)
    asked = Context(user=dora, messages=(Message("user", f"Question {day}"),), at=at)
    prose, listed = shown(asked, PROSE), shown(asked, LIST)
    cycle.receive(dora, Choice(response=prose.id, over=listed.id, at=at))
    belief = {p.dimension: p for p in cycle.memory.recall(asked).preferences}["lists"]
    print(f"after {day + 1:2d} choices: lists {belief.mean:+.2f} ± {belief.std:.2f}")
