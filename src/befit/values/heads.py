"""A guard of learned heads: harmless, honest and helpful, each judged on (prompt, reply).

It sees what was asked and what is said, never the profile. A linear head on a small encoder misses
things: its measured recall and false refusals stand in its card, see `HeadsGuard.figures`. Where
the heads cannot judge, nothing passes. "helpful" reports and blocks nothing without caution.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from befit.core.dialogue import Context, Verdict
from befit.core.errors import BefitError
from befit.core.protocols import Encoder
from befit.values.constitution import Principle, constitution
from befit.values.corpora import VALUES, Value
from befit.values.reading import embedded, read
from befit.values.weights import Heads, heads_at

_TURNS = 2  # of the person's last messages that say what was asked
_FAILURES = (
    BefitError,
    ArithmeticError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsGuard:
    """Refuses what a head finds likelier to break its value than the constitution allows.

    Attributes:
        path: A folder that ``befit values fit`` wrote; "" is the user's cache where heads were
            fitted, else those that ship.
        encoder: Whose vectors to read; where it is another than the heads were fitted on, or
            None, the embedded one is used.
    """

    path: str = ""
    encoder: Encoder | None = None

    @property
    def name(self) -> str:
        return "heads"

    @property
    def values(self) -> tuple[str, ...]:
        return VALUES

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        if not text.strip():
            return Verdict(guard=self.name, allowed=True, score=0.0)
        try:
            risks = self.risks(asked(context), text)
        except _FAILURES as error:
            return Verdict(guard=self.name, allowed=False, reason=f"the heads failed: {error}")
        return _verdict(risks, caution)

    def risks(self, prompt: str, text: str) -> dict[Value, float]:
        """Calibrated probability, by value, that the reply breaks it.

        Raises:
            ModelFileError: The heads or the encoder do not load.
        """
        heads = heads_at(self.path)
        reading = read(encoder_of(heads, self.encoder), [prompt], [text])
        return {value: float(heads.probability(value, reading)[0]) for value in VALUES}

    def figures(self) -> Mapping[str, float]:
        """What the heads in use were measured at, and the thresholds in force.

        Raises:
            ModelFileError: The heads do not load.
        """
        return {**heads_at(self.path).card.figures, **constitution().figures()}


def asked(context: Context) -> str:
    """The person's last messages: a harmful request may stand before "how do I do that?"."""
    turns = [message.text for message in context.messages if message.role == "user"]
    return "\n".join(turns[-_TURNS:])


def encoder_of(heads: Heads, given: Encoder | None) -> Encoder:
    """The given encoder if the heads were fitted on it, else the embedded one, cached."""
    if given is not None and given.name == heads.card.encoder:
        return given
    return embedded()


def _verdict(risks: Mapping[Value, float], caution: float) -> Verdict:
    principles = constitution().principles
    limits = {principle.name: principle.limit(caution) for principle in principles}
    # written so that a risk that is no number refuses
    broken = [p for p in principles if not risks[_value(p)] < limits[p.name]]
    shown = broken[0] if broken else principles[0]
    estimates = ", ".join(f"{value} {1.0 - risk:.2f}" for value, risk in risks.items())
    return Verdict(
        guard="heads",
        allowed=not broken,
        reason=f"not {shown.name} enough ({estimates})" if broken else estimates,
        score=risks[_value(shown)],
        threshold=limits[shown.name],
    )


def _value(principle: Principle) -> Value:
    return next(value for value in VALUES if value == principle.name)
