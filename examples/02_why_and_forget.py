"""A person reads what is believed of them and why, corrects it, and is forgotten."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from befit import Context, UserId, build_cycle, load_settings, load_space, stated

path = Path(tempfile.mkdtemp()) / "befit.db"
cycle = build_cycle(load_settings(memory={"path": str(path)}))
ana, space = UserId("ana"), load_space("style")
monday = datetime(2026, 1, 5, 9, tzinfo=UTC)

cycle.remember(
    [
        stated(space, ana, "I like bullet points.", monday),
        stated(space, ana, "Always give figures.", monday, scope="work"),
        stated(space, ana, "No bullet points any more.", monday + timedelta(days=90)),
    ]
)


def show(title: str, **when: object) -> None:
    """Print what is believed, with the words behind it."""
    asked = Context(user=ana, messages=(), at=monday + timedelta(days=100))
    profile = cycle.memory.recall(replace(asked, **when))  # type: ignore[arg-type]
    words = {e.id: e.text for e in cycle.memory.evidence(ana)}
    print(title)
    for belief in profile.preferences:
        why = "; ".join(words[source] for source in belief.sources)
        print(f"  {belief.dimension}: {belief.mean:+.2f} ± {belief.std:.2f}, because: {why}")


show("Today")
show("At work", scope="work")
show("As believed in January", at=monday + timedelta(days=1))
print("erased records:", cycle.forget(ana))
print("left in the file:", path.read_bytes().count(b"bullet points"))
