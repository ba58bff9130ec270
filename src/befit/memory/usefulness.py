"""How well answers were liked that used a belief or an excerpt: what recall ranks by.

Each reaction to an answer leaves a piece of evidence that names what the answer had used
(``useful:`` and a name) and how it was liked. Usefulness is a fold over these rows, like a belief:
it fades with them, goes with them, and is kept nowhere else. It is compared with how the person
likes answers anyway, so that a strict one does not make all beliefs useless. Answers that nobody
reacted to say nothing.
"""

import math
from collections.abc import Mapping, Sequence

from befit.core.preference import EXCERPT, USEFUL, Evidence

PRIOR = 2.0  # reactions that speak for neither side, which a factor starts from
USUAL_PRIOR = 5.0  # the same of how the person likes answers anyway

#: No reactions: everything is as useful as everything else.
NEUTRAL: Mapping[str, float] = {}


def usefulness(evidence: Sequence[Evidence], weights: Sequence[float]) -> Mapping[str, float]:
    """What to multiply the worth of a belief or excerpt by; what is not there has 1.

    Args:
        evidence: All that is known of one person.
        weights: What each piece counts on the day, in [0, 1].

    Returns:
        Name of a belief, or ``said:`` and an id -> a factor in (0, 2): 1 plus the mean of how
        answers with it were liked, in [-1, 1], less the usual, shrunk to 0.
    """
    told: dict[str, list[tuple[float, float]]] = {}
    for each, weight in zip(evidence, weights, strict=True):
        if weight <= 0.0 or not each.values:
            continue
        for name, value in each.values.items():
            if name.startswith(USEFUL):
                counts = weight / (each.noise * each.noise)
                told.setdefault(name.removeprefix(USEFUL), []).append((value, counts))
    if not told:
        return NEUTRAL
    everything = [each for said in told.values() for each in said]
    usual = _mean(everything, USUAL_PRIOR)
    return {
        name: 1.0 + max(-1.0, min(1.0, _mean([(v - usual, n) for v, n in said], PRIOR)))
        for name, said in told.items()
    }


def of_excerpts(useful: Mapping[str, float], evidence: Sequence[Evidence]) -> list[float]:
    """The factor of each piece: its own, times the mean of those of the beliefs it speaks for."""
    factors = []
    for each in evidence:
        beliefs = [useful[name] for name in each.values if name in useful]
        own = useful.get(EXCERPT + each.id, 1.0)
        factors.append(own * (math.fsum(beliefs) / len(beliefs) if beliefs else 1.0))
    return factors


def _mean(said: Sequence[tuple[float, float]], prior: float) -> float:
    """The weighted mean, shrunk to 0."""
    total = math.fsum(counts for _, counts in said)
    return math.fsum(value * counts for value, counts in said) / (total + prior)
