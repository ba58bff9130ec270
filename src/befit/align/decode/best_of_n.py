"""Ask for several drafts and put first the one that the reward is surest the person would like.

Changes no draft and refuses none; what may be said is the boundary's to decide.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from math import isfinite

from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.protocols import Policy, RewardModel, Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN:
    """A policy around a policy: drafts ranked by ``score - beta * uncertainty``.

    The lower bound keeps it from picking what the reward merely does not know, which is how the
    best of many becomes the worst. KL to the inner policy is at most ``log n - (n - 1) / n``.

    Source: survey arXiv:2503.17003 section 4.3 (inference-time alignment); Beirami et al. 2024,
    arXiv:2401.01879 (the KL bound).

    Attributes:
        policy: Proposes the drafts.
        reward: Scores them as the person would.
        n: Drafts to ask for, >= 1; more where the caller wants more.
        beta: Standard deviations below the score, >= 0; 0 trusts the score alone.
    """

    policy: Policy
    reward: RewardModel
    n: int = 4
    beta: float = 1.0

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        """The ``n`` best of ``max(n, self.n)`` drafts, best first; equals keep their order."""
        drafts = self.policy.generate(context, conditioning, max(n, self.n))
        if len(drafts) < 2:
            return list(drafts)[:n]
        scores = self.reward.score(context, conditioning, drafts)
        doubts = self.reward.uncertainty(context, conditioning, drafts)
        bounds = [
            score - self.beta * doubt if isfinite(score) and isfinite(doubt) else float("-inf")
            for score, doubt in zip(scores, doubts, strict=True)
        ]
        order = sorted(range(len(drafts)), key=lambda i: -bounds[i])
        return [drafts[i] for i in order[:n]]

    async def stream(self, context: Context, conditioning: Conditioning) -> AsyncIterator[str]:
        """The inner policy's own stream where it has one: one draft as it comes, nothing to rank.

        An inner policy that cannot stream is asked for its drafts, and the best is one piece.
        """
        if isinstance(self.policy, Streams):
            async for piece in self.policy.stream(context, conditioning):
                yield piece
            return
        best = await asyncio.to_thread(self.generate, context, conditioning, 1)
        for draft in best:
            yield draft.text
