"""A profile in lines that its person can read."""

from collections.abc import Sequence
from typing import Any

from befit.core.preference import TOPIC


def lines(rows: Sequence[dict[str, Any]]) -> str:
    """One line a belief, its evidence under it where it was asked for."""
    said = []
    for row in rows:
        name = row["dimension"].removeprefix(TOPIC)
        since = f"  since {row['since']:%Y-%m-%d}" if row.get("since") else ""
        said.append(f"{row['mean']:+.2f} ± {row['std']:.2f}  {name}{since}")
        if "why" in row:
            said += [f"        {reason}" for reason in row.get("reasons", ())]
            said += [f"        to ask: {row['question']}"] if row.get("question") else []
        said += [
            f"        {e.at:%Y-%m-%d} {e.kind.value}: {e.text or 'a reaction'} [{e.id}]"
            for e in row.get("why", ())
        ]
    return "\n".join(said) or "nothing is believed yet"
