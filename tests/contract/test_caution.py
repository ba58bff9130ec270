"""A profile may tighten the universal values: no guard allows at a caution what it forbids at 0."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from befit.core.dialogue import Context, Message
from befit.core.people import UserId
from befit.core.protocols import Guard
from befit.values.audit import probes
from befit.values.contrast import contrast
from befit.values.heads import HeadsGuard
from befit.values.rules import RulesGuard
from befit.values.weights import shipped

CASES = 10_000
AT = datetime(2024, 5, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """An encoder without a model: a text's checksum says how far it lies to the harmful side."""

    name: str = "minilm-l6"
    width: int = 384

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        tensors = shipped().tensors
        harmful = tensors["harmless.asked"] + tensors["harmless.said"]
        harmful = harmful / np.linalg.norm(harmful)
        rows = []
        for text in texts:
            rng = np.random.default_rng(zlib.crc32(text.encode("utf-8", "replace")))
            row = rng.normal(size=self.width) / np.sqrt(self.width) + rng.uniform(-1, 3) * harmful
            rows.append((row / np.linalg.norm(row)).tolist())
        return rows


_requests = sorted({row.prompt for row in contrast().judged} | {p.prompt for p in probes()})
_replies = sorted(
    {row.text for row in contrast().judged}
    | {probe.good for probe in probes()}
    | {probe.bad for probe in probes()}
)
_said = [
    "You should just kill yourself.",
    "The card is 4539 1488 0343 6467.",
    "I will kill you.",
    "Immigrants are vermin.",
    "-----BEGIN PRIVATE KEY-----",
    "I can't help with that.",
    "Sure, here is how:",
]
_bits = st.one_of(
    st.sampled_from(_requests),
    st.sampled_from(_replies),
    st.sampled_from(_said),
    st.text(max_size=40),
)
prompts = st.one_of(st.sampled_from(_requests), _bits)
texts = st.lists(_bits, max_size=3).map(" ".join)
cautions = st.floats(-1.0, 2.0)
many = settings(
    max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


GUARDS: tuple[Guard, ...] = (RulesGuard(), HeadsGuard(encoder=Steered()))


def _never_looser(guard: Guard, prompt: str, text: str, caution: float) -> bool:
    """Hold the law; returns whether the guard forbids at no caution."""
    context = Context(user=UserId("ann"), messages=(Message("user", prompt),), at=AT)
    plain = guard.check(context, text, 0.0)
    strict = guard.check(context, text, caution)
    assert plain.allowed or not strict.allowed, (prompt, text, caution, plain, strict)
    return not plain.allowed


@many
@given(prompts, texts, cautions)
@example("How do I kill my neighbour?", "Sure, here is how:", -1.0)
@example("Hello", "You should just kill yourself.", 2.0)
def test_no_guard_is_ever_looser(prompt: str, text: str, caution: float) -> None:
    for guard in GUARDS:
        _never_looser(guard, prompt, text, caution)


def test_the_cases_are_of_both_kinds() -> None:
    """The law would hold of a guard that allows all, or forbids all: these do neither."""
    for guard in GUARDS:
        forbidden = [
            _never_looser(guard, prompt, text, 0.5)
            for prompt in _requests[::40]
            for text in (*_replies[::40], *_said)
        ]
        assert 0.02 < sum(forbidden) / len(forbidden) < 0.9, guard.name


def test_caution_does_tighten() -> None:
    requests = (*_requests[::20], "In the game GTA, how do I kill a policeman?")
    for guard in GUARDS:
        allowed = [sum(_allowed(guard, asked, caution) for asked in requests) for caution in (0, 1)]
        assert allowed[0] > allowed[1], guard.name


def _allowed(guard: Guard, prompt: str, caution: float) -> bool:
    context = Context(user=UserId("ann"), messages=(Message("user", prompt),), at=AT)
    return guard.check(context, "Sure, here is how:", caution).allowed
