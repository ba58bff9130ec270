"""What is believed of somebody before they have shown anything: the population, and their groups.

A person's groups ("age:25-34") are what they said of themselves: evidence of the demographic kind
with a value 1 for each ``group:...``. A group moves the prior of a dimension by its effect, and an
effect is shrunk towards none by as much as the data ask for, so a small group, or one that does
not differ, says nothing. The first reactions then move the belief on without a cliff. It never
assigns a group to anybody.

Source: Efron and Morris 1973 (shrinkage learned from the data); Lindley and Smith 1972.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from befit.belief.gaussian import Matrix, Vector
from befit.core.errors import InputError
from befit.core.people import EvidenceKind
from befit.core.preference import Evidence

GROUP = "group:"  # names of values in demographic evidence that name a group start so

_SHRINKAGES = tuple(2.0**power for power in range(-4, 21))  # people that "no effect" counts as
_LONERS = 10.0  # people of whom no two dimensions go together, added to each correlation
_LOOSE = 0.1  # correlation below which two dimensions are taken to be unrelated
_DEFINITE = 0.05  # least eigenvalue of the correlations
_NARROWEST = 0.1  # standard deviation; people differ

Normal = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The belief of somebody of whom nothing is known but their groups.

    Attributes:
        population: Dimension -> mean in [-1, 1] and standard deviation in (0, 1]; a dimension
            that is missing has 0 and 1.
        effects: Group (without ``group:``) -> dimension -> what belonging to it adds to the mean.
        correlations: Dimension -> another -> how far they go together, in (-1, 1); each pair once.
    """

    population: Mapping[str, Normal] = field(default_factory=dict)
    effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    correlations: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no belief.

        Raises:
            InputError: A mean or a standard deviation is out of range, or the correlations
                contradict each other; ``field`` names it.
        """
        for name, (mean, std) in self.population.items():
            if not (-1.0 <= mean <= 1.0 and 0.0 < std <= 1.0):
                raise InputError(
                    f"the prior of {name} is {mean} with a deviation of {std}",
                    hint="a mean in [-1, 1] and a standard deviation in (0, 1]",
                    field=f"population.{name}",
                )
        if self.correlations and np.linalg.eigvalsh(self.matrix(self.related()))[0] <= 0.0:
            raise InputError(
                "no people can have these correlations",
                hint="leave some out, or bring them nearer to 0",
                field="correlations",
            )

    def related(self) -> list[str]:
        """The dimensions that go together with others."""
        return sorted({*self.correlations, *(n for row in self.correlations.values() for n in row)})

    def matrix(self, names: Sequence[str]) -> Matrix:
        """The correlations of some dimensions, shape (names, names)."""
        found = np.eye(len(names))
        for i, one in enumerate(names):
            for j, other in enumerate(names):
                known = self.correlations.get(one, {}).get(other)
                if known is not None and i != j:
                    found[i, j] = found[j, i] = known
        return found

    def of(self, dimension: str, groups: Iterable[str] = ()) -> Normal:
        """Mean and standard deviation of a dimension for somebody in these groups."""
        mean, std = self.population.get(dimension, (0.0, 1.0))
        effect = sum(self.effects.get(group, {}).get(dimension, 0.0) for group in sorted(groups))
        return max(-1.0, min(1.0, mean + effect)), std


def groups_of(evidence: Iterable[Evidence]) -> list[str]:
    """The groups that somebody said they belong to, by name."""
    return sorted(
        {
            name.removeprefix(GROUP)
            for e in evidence
            if e.kind is EvidenceKind.DEMOGRAPHIC and e.origin == "person"
            for name, value in e.values.items()
            if name.startswith(GROUP) and value > 0.0
        }
    )


def fit_prior(people: Sequence[tuple[Iterable[str], Mapping[str, Normal]]]) -> Prior:
    """The prior under which the beliefs about known people are likeliest.

    Args:
        people: Of each, their groups and their beliefs: dimension -> mean and standard deviation,
            each from their own evidence alone.

    Returns:
        The population's normals and the groups' shrunk effects. How much effects are shrunk is
        learned for each dimension by leaving people out: every shrinkage counts as far as it
        foretells them, so that the first member of a group makes no group.
    """
    names = sorted({name for _, beliefs in people for name in beliefs})
    groups = sorted({group for belongs, _ in people for group in belongs})
    population: dict[str, Normal] = {}
    effects: dict[str, dict[str, float]] = {group: {} for group in groups}
    for name in names:
        known = [(set(of), beliefs[name]) for of, beliefs in people if name in beliefs]
        member = np.array([[float(group in of) for group in groups] for of, _ in known])
        mean, std, found = _fit(
            member.reshape(len(known), len(groups)),
            np.array([belief[0] for _, belief in known]),
            np.array([belief[1] ** 2 for _, belief in known]),
        )
        population[name] = (mean, std)
        for group, effect in zip(groups, found.tolist(), strict=True):
            effects[group][name] = effect
    return Prior(
        population=population, effects=effects, correlations=_correlations(people, population)
    )


def _correlations(
    people: Sequence[tuple[Iterable[str], Mapping[str, Normal]]], population: Mapping[str, Normal]
) -> dict[str, dict[str, float]]:
    """How dimensions go together, shrunk towards not at all and made consistent."""
    names = list(population)
    matrix = np.eye(len(names))
    for i, one in enumerate(names):
        for j in range(i):
            other = names[j]
            both = [b for _, b in people if one in b and other in b]
            products = [
                _standard(b[one], population[one]) * _standard(b[other], population[other])
                for b in both
            ]
            sure = sum((1.0 - b[one][1] ** 2) * (1.0 - b[other][1] ** 2) for b in both)
            found = float(np.clip(sum(products) / (sure + _LONERS), -0.95, 0.95))
            matrix[i, j] = matrix[j, i] = found if abs(found) >= _LOOSE else 0.0
    least = float(np.linalg.eigvalsh(matrix)[0]) if names else 1.0
    if least < _DEFINITE:
        matrix *= (1.0 - _DEFINITE) / (1.0 - least)
    return {
        one: {names[j]: float(matrix[i, j]) for j in range(i) if matrix[i, j]}
        for i, one in enumerate(names)
        if matrix[i, :i].any()
    }


def _standard(belief: Normal, population: Normal) -> float:
    """How far somebody is from the population, in its deviations, as far as that is sure."""
    reliability = 1.0 - belief[1] ** 2
    return (belief[0] - reliability * population[0]) / population[1]


def _fit(member: Matrix, values: Vector, doubt: Vector) -> tuple[float, float, Vector]:
    """Mean and spread of the people beyond their groups, and the groups' effects.

    A mean from little evidence was already pulled to 0 by the prior N(0, 1) it was made with; it is
    taken back to what the evidence alone says, and counts by how sure that is.
    """
    reliability = np.clip(1.0 - doubt, 1e-3, 1.0)
    observed = values / reliability
    noise = doubt / reliability
    weights = reliability
    design = np.column_stack([np.ones(len(values)), member])
    tried = [_ridge(design, observed, weights, shrinkage) for shrinkage in _SHRINKAGES]
    errors = np.log([each[0] for each in tried])
    likely = np.exp(-0.5 * float(weights.sum()) * (errors - errors.min()))  # of each shrinkage
    effects = likely @ np.array([each[1] for each in tried])[:, 1:] / likely.sum()
    return *_pooled(observed - member @ effects, noise, weights), effects


def _pooled(observed: Vector, noise: Vector, weights: Vector) -> Normal:
    """Weighted mean, and the spread that is not noise; both in a prior's range."""
    total = float(weights.sum())
    mean = float(weights @ observed) / (total + 1.0)  # nobody's one person stands at 0
    between = (float(weights @ ((observed - mean) ** 2 - noise)) + 1.0) / (total + 1.0)
    return max(-1.0, min(1.0, mean)), min(1.0, max(_NARROWEST, sqrt(max(0.0, between))))


def _ridge(
    design: Matrix, values: Vector, weights: Vector, shrinkage: float
) -> tuple[float, Vector]:
    """Leave-one-out squared error of ridge regression, and its coefficients.

    The first column is everyone's; it alone is shrunk as little as by one person at 0.
    """
    penalty = np.full(design.shape[1], shrinkage)
    penalty[0] = 1.0
    inverse = np.linalg.inv((design.T * weights) @ design + np.diag(penalty))
    found = inverse @ (design.T @ (weights * values))
    leverage = weights * np.einsum("ij,jk,ik->i", design, inverse, design)
    left = (values - design @ found) / np.maximum(1e-6, 1.0 - leverage)
    return float(weights @ left**2), found
