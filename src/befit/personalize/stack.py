"""Several mechanisms at once, merged with ``|``. Knows none of them."""

from dataclasses import dataclass, replace

from befit.core.dialogue import Conditioning, Context
from befit.core.preference import Profile
from befit.core.protocols import Personalizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Conditions by every layer; a later layer wins the single slots.

    Attributes:
        layers: In order; none conditions on nothing.
    """

    layers: tuple[Personalizer, ...] = ()

    def condition(self, profile: Profile, context: Context) -> Conditioning:
        merged = Conditioning()
        for layer in self.layers:
            merged |= layer.condition(profile, context)
        return replace(merged, beliefs=tuple(dict.fromkeys(merged.beliefs)))
