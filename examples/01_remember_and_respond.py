"""What one person says changes what they are answered, and nobody else's answer."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from befit import Context, Message, UserId, build_cycle, load_settings, load_space, stated

folder = Path(tempfile.mkdtemp())
cycle = build_cycle(
    load_settings(
        memory={"path": str(folder / "befit.db")},
        policy={"use": "best_of_n", "n": 2, "policy": {"use": "hf", "max_new_tokens": 48}},
    )
)
now, space = datetime.now(UTC), load_space("style")

for name, text in (("ana", "Keep it short, please."), ("ben", "Please write at length.")):
    cycle.remember([stated(space, UserId(name), text, now)])

for name in ("ana", "ben", "somebody new"):
    question = Context(
        user=UserId(name), messages=(Message("user", "How can I sleep better?"),), at=now, seed=1
    )
    answer = cycle.respond(question)
    print(f"{name}: beliefs used {answer.beliefs or 'none'}\n  {answer.text!r}")
