"""Which belief changed the answer: leave each one out, and see how much less likely the answer was.

`attribute` measures a model in this process and changes nothing; `credit` turns what it found into
evidence of usefulness, where the answer was rated. What it finds holds for this answer to
this question alone: two beliefs that ask for the same may each look idle, since either is enough.

Source: leave-one-out attribution of context, ContextCite, Cohen-Wang et al. 2024
(arXiv:2409.00729), section 2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol, runtime_checkable

from befit.core.dialogue import Conditioning, Context
from befit.core.feedback import Interaction, Rating
from befit.core.people import EvidenceKind
from befit.core.preference import EXCERPT, USEFUL, Evidence, Profile
from befit.core.protocols import Personalizer

_LEAST = 0.02  # share of an answer below which a belief gets neither praise nor blame


@runtime_checkable
class Likelihoods(Protocol):
    """A model that can say how likely it finds replies, in mean nats per token."""

    def log_likelihoods(
        self, rows: Sequence[tuple[Context, Conditioning, str]]
    ) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one belief did to an answer.

    Attributes:
        belief: Its name; ``said:`` and an id for an excerpt.
        nats: How much likelier a token of the answer was with it than without, in the mean;
            negative where it spoke against the answer.
    """

    belief: str
    nats: float


def attribute(
    model: Likelihoods, personalizer: Personalizer, profile: Profile, context: Context, text: str
) -> tuple[Share, ...]:
    """The shares of the beliefs that were used, strongest first, then by name.

    Args:
        model: The model that answered.
        personalizer: What turned the profile into conditioning.
        profile: What was recalled for this context.
        context: What was asked.
        text: The answer.
    """
    whole = personalizer.condition(profile, context)
    used = list(dict.fromkeys(whole.beliefs))
    if not used or not text:
        return ()
    without = [personalizer.condition(_less(profile, belief), context) for belief in used]
    likely, *less = model.log_likelihoods(
        [(context, conditioning, text) for conditioning in (whole, *without)]
    )
    shares = [
        Share(belief=belief, nats=likely - other) for belief, other in zip(used, less, strict=True)
    ]
    return tuple(sorted(shares, key=lambda share: (-abs(share.nats), share.belief)))


def credit(shares: Sequence[Share], turn: Interaction, reaction: Rating) -> tuple[Evidence, ...]:
    """How the answer was liked, for what made it so: each part by the share that it had.

    To stand in place of the even split that a reaction alone allows (``feedback.reactions``); the
    ids are the same for the same reaction, so that crediting again changes nothing.

    Args:
        shares: As `attribute` measured them.
        turn: The answer, and who got it.
        reaction: How it was rated.
    """
    whole = math.fsum(abs(share.nats) for share in shares)
    made = []
    for share in shares:
        part = share.nats / whole if whole > 0.0 else 0.0
        if abs(part) < _LEAST:
            continue
        liking = (2.0 * reaction.value - 1.0) * math.copysign(1.0, part)
        key = f"{turn.context.user}\0{turn.response.id}\0{reaction.at}\0{share.belief}"
        excerpt = share.belief.startswith(EXCERPT)
        made.append(
            Evidence(
                id=sha256(key.encode()).hexdigest()[:32],
                user=turn.context.user,
                kind=EvidenceKind.BEHAVIOUR,
                at=reaction.at,
                values={USEFUL + share.belief: liking},
                noise=1.0 / math.sqrt(abs(part)),
                scope=turn.context.scope,
                source=share.belief.removeprefix(EXCERPT) if excerpt else turn.response.id,
                by=reaction.by,
            )
        )
    return tuple(made)


def _less(profile: Profile, belief: str) -> Profile:
    """The profile of a person of whom that was never believed."""
    said = belief.removeprefix(EXCERPT) if belief.startswith(EXCERPT) else ""
    kept = tuple(each for each in profile.preferences if each.dimension != belief)
    told = tuple(e for e in profile.evidence if belief not in e.values and e.id != said)
    return replace(profile, preferences=kept, evidence=told)
