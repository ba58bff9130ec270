"""A profile in lines that its person can read, with how each number comes about."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from befit.app.accounts import Account, accounts
from befit.app.accounts import lines as account_lines
from befit.belief.fold import BayesFold
from befit.core.preference import TOPIC, Evidence, Preference, PreferenceSpace
from befit.core.protocols import Inferer


def lines(rows: Sequence[dict[str, Any]]) -> str:
    """One line a belief, its evidence under it where it was asked for."""
    said = []
    for row in rows:
        name = row["dimension"].removeprefix(TOPIC)
        since = f"  since {row['since']:%Y-%m-%d}" if row.get("since") else ""
        said.append(f"{row['mean']:+.2f} ± {row['std']:.2f}  {name}{since}")
        said += [f"        to ask: {row['question']}"] if row.get("question") else []
        if "why" in row:
            said += [f"        {reason}" for reason in row.get("reasons", ())]
        account = row.get("account")
        known = {e.id: e for e in row.get("why", ())}
        told = {each.id for each in account.observed} if account else set[str]()
        said += [
            f"        {e.at:%Y-%m-%d} {e.kind.value}: {e.text or 'a reaction'} [{e.id}]"
            for e in known.values()
            if e.id not in told
        ]
        said += [f"        {line}" for line in account_lines(account, known)] if account else []
    return "\n".join(said) or "nothing is believed yet"


def rows(
    beliefs: Sequence[Preference],
    evidence: Sequence[Evidence],
    usable: Sequence[Evidence],
    inferer: Inferer,
    asked: tuple[PreferenceSpace, datetime, str],
) -> list[dict[str, Any]]:
    """Beliefs, the surest side first, with their evidence and their account.

    Args:
        beliefs: As recalled.
        evidence: All that the person may see.
        usable: What of it may be used to personalize.
        inferer: What made the beliefs; only of `BayesFold` there is an account.
        asked: The space, when, and in which scope.
    """
    space, at, scope = asked
    words = {e.id: e for e in evidence}
    known: Mapping[str, Account] = {}
    if isinstance(inferer, BayesFold):
        known = accounts(inferer, space, usable, beliefs, (at, scope))
    made = []
    for belief in sorted(beliefs, key=lambda p: (-abs(p.mean), p.dimension)):
        account = known.get(belief.dimension)
        ids = dict.fromkeys(
            [*belief.sources, *(e.id for e in account.observed)] if account else belief.sources
        )
        row = {**asdict(belief), "why": [words[i] for i in ids if i in words]}
        made.append({**row, "account": account} if account else row)
    return made
