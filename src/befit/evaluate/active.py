"""How much faster a person is known when the questions are chosen: orders each person's history.

Of every case all pairs that may be shown are a pool; a rule picks the next by what the method
believes after the answers before, and never sees an answer that it has not asked for. What comes
out is a division like the one that went in, its histories in the order of asking, so that k chosen
answers and k random ones are measured in the same way, on the same people and the same questions.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from befit.align.rewards.asking import values
from befit.align.rewards.method import Fitted
from befit.align.rewards.pairs import Person
from befit.evaluate.trials import Case, Division

MOST_POOL = 100  # pairs of a person among which to choose, the first drawn
MARK = "+"  # between the name of a method and of a rule

Step = Callable[[int, int], None]


def asked(
    fitted: Fitted,
    division: Division,
    rule: str,
    most: int,
    report: Step = lambda _done, _total: None,
) -> Division:
    """The division with every history in the order in which the rule asks for it.

    Args:
        fitted: What asks; it was fitted on the division's people.
        division: Its histories are the pools.
        rule: One of `befit.align.rewards.asking.RULES`.
        most: How many questions; what was not asked for comes after, in the order it had.
        report: Told (done, total) questions.

    Raises:
        InputError: The method does not say how unsure it is.
        UnknownComponentError: There is no such rule.
    """
    pools = [case.support[:MOST_POOL].tolist() for case in division.cases]
    orders: list[list[int]] = [[] for _ in pools]
    for number in range(most):
        report(number, most)
        open_ones = [at for at, pool in enumerate(pools) if len(pool) > 1]
        people = [_person(division, division.cases[at], orders[at]) for at in open_ones]
        for at, state in zip(open_ones, fitted.adapt(people), strict=True):
            pairs = division.numbered.pairs.take(pools[at])
            best = int(np.argmax(values(fitted, state, pairs, rule)))
            orders[at].append(pools[at].pop(best))
    report(most, most)
    cases = [
        replace(case, support=np.array([*order, *_left(case, order)], dtype=np.intp))
        for case, order in zip(division.cases, orders, strict=True)
    ]
    return replace(division, cases=tuple(cases))


def _person(division: Division, case: Case, order: list[int]) -> Person:
    return division.numbered.person(case.user, np.array(order, dtype=np.intp))


def _left(case: Case, order: list[int]) -> list[int]:
    gone = set(order)
    return [pair for pair in case.support.tolist() if pair not in gone]
