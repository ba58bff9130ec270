"""The values that hold for everyone, with fixed weights and thresholds, from constitution.toml.

The only place that says how caution tightens a threshold. It judges no text itself.
Survey section 3.2: helpful, honest and harmless are constraints that come first.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Principle:
    """One value that holds for everyone.

    Attributes:
        name: "harmless", "honest" or "helpful".
        statement: In words a person reads.
        weight: How much it counts where values are averaged, > 0.
        threshold: The estimated probability of breaking it, from which a guard refuses; above 1
            it blocks nothing by itself.
        strictest: What full caution lowers the threshold to; at most ``threshold``, above 0.
        false_refusals: Share of what keeps the value that a learned guard may refuse; it puts
            its own threshold there, on what it was fitted on, and caution lowers that in
            proportion. 0 blocks nothing by itself.
    """

    name: str
    statement: str
    weight: float
    threshold: float
    strictest: float
    false_refusals: float

    def limit(self, caution: float) -> float:
        """The score from which a guard refuses; never rises with caution.

        Args:
            caution: Extra strictness; held to [0, 1], and what is no number counts as 1.
        """
        share = 1.0 if math.isnan(caution) else min(max(caution, 0.0), 1.0)
        return self.threshold - share * (self.threshold - self.strictest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constitution:
    """All values, in order of precedence.

    Attributes:
        version: Changes with any figure; printed beside results.
        principles: The first comes first.
    """

    version: str
    principles: tuple[Principle, ...]

    def __getitem__(self, name: str) -> Principle:
        """The principle of that name.

        Raises:
            KeyError: There is none.
        """
        for principle in self.principles:
            if principle.name == name:
                return principle
        raise KeyError(name)

    def figures(self) -> dict[str, float]:
        """The thresholds and weights, flat, to print beside results."""
        return {
            f"{principle.name}.{figure}": getattr(principle, figure)
            for principle in self.principles
            for figure in ("threshold", "strictest", "weight", "false_refusals")
        }


@lru_cache(maxsize=1)
def constitution() -> Constitution:
    """The constitution that ships with the package."""
    table = tomllib.loads(files("befit.values").joinpath("constitution.toml").read_text("utf-8"))
    return Constitution(
        version=table["version"],
        principles=tuple(Principle(**value) for value in table["value"]),
    )
