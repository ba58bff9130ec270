"""Learned heads: harmless, honest and helpful, each judged on (prompt, reply).

They see what was asked and what is said, never the profile. `HeadsGuard` is the gate: it refuses
from thresholds. A linear head on a small encoder misses things: its measured recall and false
refusals stand in its card, see `HeadsGuard.figures`. Where the heads cannot judge, nothing passes.
"helpful" reports and blocks nothing without caution. `ValuesReward` gives the same judgements as a
score, to rank by instead of a personal reward; nothing adds it to one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from befit.core.dialogue import Conditioning, Context, Draft, Verdict
from befit.core.errors import BefitError
from befit.core.protocols import Encoder
from befit.values.constitution import constitution
from befit.values.corpora import VALUES, Value
from befit.values.reading import embedded
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
            limits = limits_of(heads_at(self.path), caution)
        except _FAILURES as error:
            return Verdict(guard=self.name, allowed=False, reason=f"the heads failed: {error}")
        return _verdict(risks, limits)

    def risks(self, prompt: str, text: str) -> dict[Value, float]:
        """Calibrated probability, by value, that the reply breaks it.

        Raises:
            ModelFileError: The heads or the encoder do not load.
        """
        heads = heads_at(self.path)
        reading = heads.read(encoder_of(heads, self.encoder), [prompt], [text])
        return {value: float(heads.probability(value, reading)[0]) for value in VALUES}

    def figures(self) -> Mapping[str, float]:
        """What the heads in use were measured at, and the thresholds in force.

        Raises:
            ModelFileError: The heads do not load.
        """
        heads = heads_at(self.path)
        limits = {f"{value}.limit": limit for value, limit in limits_of(heads, 0.0).items()}
        return {**heads.card.figures, **constitution().figures(), **limits}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesReward:
    """Log-odds that a reply keeps the values, averaged with the weights of the constitution.

    The same for everyone: neither the person nor the conditioning is read. It is no gate, and a
    sum with a personal reward would let liking outweigh harm: what may be said stays with the
    guards, which judge each draft in the order that a personal reward gave.

    Attributes:
        path: As of `HeadsGuard`.
        encoder: As of `HeadsGuard`.
    """

    path: str = ""
    encoder: Encoder | None = None

    def score(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        """Weighted mean of log-odds, > 0 where a reply rather keeps the values.

        Raises:
            ModelFileError: The heads or the encoder do not load.
        """
        if not drafts:
            return []
        heads = heads_at(self.path)
        texts = [draft.text for draft in drafts]
        prompts = [asked(context)] * len(texts)
        reading = heads.read(encoder_of(heads, self.encoder), prompts, texts)
        weights = np.array([constitution()[value].weight for value in VALUES])
        broken = np.array([heads.logit(value, reading) for value in VALUES], dtype=np.float64)
        means: list[float] = (-weights @ broken / weights.sum()).tolist()
        return means

    def uncertainty(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        """Zero: the heads are single weights and carry no doubt of their own."""
        return [0.0] * len(drafts)


def asked(context: Context) -> str:
    """The person's last messages: a harmful request may stand before "how do I do that?"."""
    turns = [message.text for message in context.messages if message.role == "user"]
    return "\n".join(turns[-_TURNS:])


def encoder_of(heads: Heads, given: Encoder | None) -> Encoder:
    """The given encoder if the heads were fitted on it, else the embedded one, cached."""
    if given is not None and given.name == heads.card.encoder:
        return given
    return embedded()


def limits_of(heads: Heads, caution: float) -> dict[Value, float]:
    """The probability from which each value refuses; never rises with caution.

    Where a head was fitted it has its own threshold, which caution lowers in the proportion that
    the constitution gives.
    """
    return {
        value: heads.threshold(value) * principle.limit(caution) / principle.threshold
        for value, principle in ((value, constitution()[value]) for value in VALUES)
    }


def _verdict(risks: Mapping[Value, float], limits: Mapping[Value, float]) -> Verdict:
    # in order of precedence, and written so that a risk that is no number refuses
    broken = [value for value in VALUES if not risks[value] < limits[value]]
    shown = broken[0] if broken else VALUES[0]
    estimates = ", ".join(f"{value} {1.0 - risk:.2f}" for value, risk in risks.items())
    return Verdict(
        guard="heads",
        allowed=not broken,
        reason=f"not {shown} enough ({estimates})" if broken else estimates,
        score=risks[shown],
        threshold=limits[shown],
    )
