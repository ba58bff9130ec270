"""A deployment adds a guard of its own by its name; no profile can loosen it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from befit import Conditioning, Context, Draft, Message, UserId, Verdict, build_cycle, load_settings
from befit.testing import check_guard


@dataclass(frozen=True, slots=True)
class NoDoses:
    """A chemist's shop lets no dose be named."""

    @property
    def name(self) -> str:
        """Stands in every verdict."""
        return "no-doses"

    @property
    def values(self) -> tuple[str, ...]:
        """What it watches over."""
        return ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        """Refuse what names milligrams."""
        allowed = " mg" not in text
        return Verdict(guard=self.name, allowed=allowed, reason="" if allowed else "names a dose")


check_guard(NoDoses())  # what befit's own guards pass
settings = load_settings(
    boundary={"guards": [{"use": "rules"}, {"use": "__main__:NoDoses"}]}, policy={"use": "toy"}
)
boundary = build_cycle(settings).boundary
asked = Context(
    user=UserId("eve"), messages=(Message("user", "What helps?"),), at=datetime.now(UTC)
)
for text in ("Take 500 mg twice a day.", "Rest, and drink enough."):
    response = boundary.admit(asked, Conditioning(), [Draft(text=text, policy="mine")])
    print(f"{text!r} -> {response.text!r}, {[v.reason for v in response.verdicts if v.reason]}")
