"""Closeness of a text's measured style to what the person wants, before anything was learned.

Judges the surface alone: it does not know what a text says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.preference import PreferenceSpace
from befit.features.style import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleReward:
    """Minus the squared distance between measured and wanted, over what is wanted and measurable.

    Where no objective can be measured all drafts score alike. Moving a draft nearer to an
    objective never lowers its score.

    Source: survey arXiv:2503.17003 section 4.2 (explicit preferences); ideal points, Coombs 1964.

    Attributes:
        space: Says which surface feature measures which dimension.
        weight: Logits of a unit of squared distance, >= 0.
    """

    space: PreferenceSpace
    weight: float = 1.0

    def score(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        return [sum(own.values()) for own in self.explain(context, conditioning, drafts)]

    def explain(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> list[dict[str, float]]:
        """What each objective adds to each score: ``{"wish: length": -0.4, ...}``."""
        wanted = [
            (dimension.name, dimension.feature, conditioning.objectives[dimension.name])
            for dimension in self.space.dimensions
            if dimension.feature and dimension.name in conditioning.objectives
        ]
        if not wanted:
            return [{} for _ in drafts]
        found = [measure(draft.text) for draft in drafts]
        return [
            {
                f"wish: {name}": -self.weight * (values[feature] - goal) ** 2
                for name, feature, goal in wanted
            }
            for values in found
        ]

    def uncertainty(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        """Zero: what is measured is certain, and the objectives carry no doubt here."""
        return [0.0] * len(drafts)
