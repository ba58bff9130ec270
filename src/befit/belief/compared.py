"""Which comparisons of texts a person's evidence holds, for the posterior over latent coordinates.

Those that were made: a choice, an edit over what it edits, a click over what stood beside it. And
those that two grades of answers to one prompt make, what was only done being a light grade (one
that was regenerated the worst, one that was copied the best): the better over the worse, where they
are `MARGIN` apart, counted by how far apart they are and by the lighter of the two. Of several
grades of one text the firmest counts, and of these the newest. Each answer counts once, however
many others it stands beside; what was compared outright is not compared again by its grades, and
grades without a prompt answer nothing in common. It is a pure function of the evidence.

Coordinates add up: how a text differs from the empty one, less how another does, is how the two
differ. So a grade keeps that of its text alone, and no text is read again at a recall.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

from befit.core.preference import Evidence, Pair

MARGIN = 0.25  # of grades in [0, 1]
MOST_ANSWERS = 16  # to one prompt, the newest, that are compared by their grades

Latent = tuple[float, ...]
Told = tuple[Evidence, Latent, float]  # coordinates of `pair_of`, and what it counts


def pair_of(evidence: Evidence) -> Pair | None:
    """The pair whose difference in coordinates has to be known of a piece of evidence.

    Of a grade, its text beside the empty one; None where there is nothing to compare.
    """
    grade = evidence.graded
    if evidence.pair is not None or grade is None or not grade.prompt.strip():
        return evidence.pair
    return Pair(prompt=grade.prompt, chosen=grade.text, rejected="")


def compared(told: Iterable[Told]) -> tuple[list[Latent], list[float]]:
    """The differences that the evidence tells of, and what each counts.

    Args:
        told: Evidence of one person in one version of the coordinates; what others wrote, and what
            counts nothing, is passed over.
    """
    differences, weights = [], []
    grades: dict[str, list[Told]] = {}
    outright: set[frozenset[str]] = set()
    for each in told:
        evidence, latent, weight = each
        if weight <= 0.0 or evidence.origin != "person":
            continue
        if evidence.pair is not None:
            differences.append(latent)
            weights.append(weight * evidence.pair.weight)
            outright.add(frozenset((evidence.pair.chosen, evidence.pair.rejected)))
        elif evidence.graded is not None:
            grades.setdefault(evidence.graded.prompt, []).append(each)
    for answers in grades.values():
        for difference, weight in _by_grade(answers, outright):
            differences.append(difference)
            weights.append(weight)
    return differences, weights


def _by_grade(
    answers: Sequence[Told], outright: set[frozenset[str]]
) -> Iterable[tuple[Latent, float]]:
    firmest: dict[str, tuple[tuple[float, object, str], float, float, Latent]] = {}
    for evidence, latent, weight in answers:
        if (grade := evidence.graded) is not None:
            order = grade.weight, evidence.at, evidence.id
            found = order, grade.value, weight * grade.weight, latent
            firmest[grade.text] = max(found, firmest.get(grade.text, found))
    texts = sorted(firmest, key=lambda text: firmest[text][0][1:])[-MOST_ANSWERS:]
    for one, other in combinations(texts, 2):
        low, high = sorted((firmest[one][1:], firmest[other][1:]))
        gap = high[0] - low[0]
        if gap < MARGIN or frozenset((one, other)) in outright or len(low[2]) != len(high[2]):
            continue
        difference = tuple(a - b for a, b in zip(high[2], low[2], strict=True))
        yield difference, gap * min(low[1], high[1]) * 2.0 / len(texts)
