"""Beliefs as numbers: wanted positions for objectives, and the latent posterior.

What a reward or a decoder reads. Says nothing in words.

Source: survey of personalized alignment, section 4.2 (encoding); the posterior is the user state
of the hierarchical Bradley-Terry reward (``reward.hierarchical``).
"""

from dataclasses import dataclass

from befit.core.dialogue import Conditioning, Context
from befit.core.preference import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodePersonalizer:
    """Conditions by objectives and taste.

    An objective is a belief of which either the direction is likely or the position certain: one
    that is certainly near 0 asks for the middle.

    Attributes:
        doubt: Largest standard deviation of a belief, as a share of |mean|, whose direction counts.
        certain: Standard deviation up to which a belief counts wherever it stands, in [0, 1].
    """

    doubt: float = 1.2
    certain: float = 0.6

    def condition(self, profile: Profile, context: Context) -> Conditioning:
        personal = {d.name for d in profile.space.dimensions if not d.universal}
        objectives = {
            p.dimension: p.mean
            for p in sorted(profile.preferences, key=lambda p: p.dimension)
            if p.dimension in personal and p.std <= max(self.certain, self.doubt * abs(p.mean))
        }
        return Conditioning(
            objectives=objectives, taste=profile.taste, beliefs=tuple(sorted(objectives))
        )
