"""Runs methods on draws of unseen people's pairs and keeps every prediction.

Makes no figure of them; `befit.evaluate.reward` does.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.methods import Fitted, Method, embed
from befit.evaluate.schema import PairData, PairRow
from befit.evaluate.splits import Draw, draw, separate, split_people

DRAWS = 5  # of support and query, per person and seed
MOST_TEST = 300  # people tested per seed

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
Column = tuple[str, int]  # method, shots


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Every prediction on one data set.

    Attributes:
        users: The people tested, in order.
        person: Index of the person of each prediction, shape (n,).
        pair: Number of the pair within its person, shape (n,).
        probabilities: Of the chosen text, by (method, shots), shape (n,) each; NaN for people who
            have too few pairs for so many shots.
        separated: Rule by which support and query of a person were kept apart -> to how many
            people it applied; empty where nothing was to be seen of anybody.
    """

    users: tuple[str, ...]
    person: NDArray[np.intp]
    pair: NDArray[np.intp]
    probabilities: Mapping[Column, Array]
    separated: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Block:
    """One person in one draw: who, which pairs, and each column's probabilities."""

    user: str
    query: tuple[PairRow, ...]
    columns: Mapping[Column, Array]


def run_trials(
    data: PairData,
    methods: Mapping[str, Method],
    shots: Sequence[int],
    seeds: int,
    progress: Progress,
) -> Trials:
    """Fit on some people, predict for the others, for every seed, draw and number of shots."""
    if any(method.embeds for method in methods.values()):
        embed(data.rows, lambda done, total: progress(f"{data.name}: embedding", done, total))
    blocks: list[_Block] = []
    rules: dict[str, str] = {}
    for seed in range(seeds):
        split = split_people(data, seed, MOST_TEST)
        fitted: dict[Method, Fitted] = {}
        for method in methods.values():
            progress(f"{data.name}: fitting, seed {seed}", len(fitted), len(methods))
            if method.learner not in fitted:
                fitted[method.learner] = method.learner.fit(split.train, split.validation, seed)
        progress(f"{data.name}: fitting, seed {seed}", len(methods), len(methods))
        most = max(shots) if data.people else 0
        groups: dict[str, tuple[tuple[int, ...], ...]] = {}
        for user, rows in split.test.items():
            groups[user], rules[user] = separate(rows, data.disjoint) if most else ((), "")
        for number in range(DRAWS if most else 1):
            progress(f"{data.name}: predicting, seed {seed}", number, DRAWS)
            draws = {
                user: draw(rows, groups[user], most, stable_seed(seed, number, user))
                for user, rows in split.test.items()
            }
            blocks += _predict(draws, methods, fitted, shots, stable_seed(seed, number))
        progress(f"{data.name}: predicting, seed {seed}", DRAWS, DRAWS)
    separated = Counter(filter(None, rules.values()))
    return _gathered(blocks, [(name, k) for name in methods for k in shots], separated)


def _predict(
    draws: Mapping[str, Draw],
    methods: Mapping[str, Method],
    fitted: Mapping[Method, Fitted],
    shots: Sequence[int],
    seed: int,
) -> list[_Block]:
    columns: dict[str, dict[Column, Array]] = {user: {} for user in draws}
    for k in shots:
        able = [user for user, drawn in draws.items() if len(drawn.support) >= k]
        others = _others(able, seed)
        for learner, fit in fitted.items():
            states = {user: fit.state(draws[user].support[:k]) for user in able}
            for name, method in methods.items():
                if method.learner != learner:
                    continue
                for user in able:
                    whose = others[user] if method.history == "another" else user
                    query = draws[user].query
                    columns[user][name, k] = fit.probabilities(states[whose], query)
    return [_Block(user, drawn.query, columns[user]) for user, drawn in draws.items()]


def _others(users: Sequence[str], seed: int) -> dict[str, str]:
    """Another person for each, no one themselves; a lone person keeps their own."""
    order = np.random.default_rng(seed).permutation(len(users))
    return {users[a]: users[b] for a, b in zip(order, np.roll(order, 1), strict=True)}


def _gathered(
    blocks: Sequence[_Block], columns: Sequence[Column], separated: Mapping[str, int]
) -> Trials:
    users = tuple(dict.fromkeys(block.user for block in blocks))
    index = {user: number for number, user in enumerate(users)}
    pairs: dict[str, dict[PairRow, int]] = {user: {} for user in users}
    person = [index[block.user] for block in blocks for _ in block.query]
    pair = [
        pairs[block.user].setdefault(row, len(pairs[block.user]))
        for block in blocks
        for row in block.query
    ]
    return Trials(
        users=users,
        person=np.array(person, dtype=np.intp),
        pair=np.array(pair, dtype=np.intp),
        probabilities={
            column: np.concatenate(
                [block.columns.get(column, np.full(len(block.query), np.nan)) for block in blocks]
            )
            for column in columns
        },
        separated=separated,
    )
