"""From predictions to figures: every one a mean over people with an interval, and paired tests.

Knows no data set's files and no method's workings; fits nothing.
"""

from collections.abc import Iterator
from functools import cached_property
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from befit.core.errors import InputError
from befit.evaluate.active import MARK
from befit.evaluate.collected import Collected, Column, by_person, pair_means
from befit.evaluate.metrics.accuracy import hits
from befit.evaluate.metrics.calibration import (
    bin_by_confidence,
    brier,
    expected_error,
    log_loss,
    reliability,
)
from befit.evaluate.metrics.harm import Gains, gains, harmed, latent
from befit.evaluate.schema import Row
from befit.evaluate.statistics import (
    Array,
    Resampled,
    centred_interval,
    detectable,
    drawn_people,
    holm,
    interval,
    mean_of_people,
    permutation_p,
    reached,
    two_level,
    worst_tenth,
)

LOSSES = ("accuracy", "nll", "brier")  # the metrics that are means over pairs, in column order
BLIND, DEFAULT, WRONG = "user-blind", "default", "wrong-user"
FEWEST_PEOPLE = 2
TOLD = 8  # shots that are told of in words and drawn apart: these, or the most below


class Table:
    """All figures of one data set.

    Args:
        collected: The predictions; ``wrong-user`` joins the methods, which is the default reward
            after another person's history.

    Raises:
        InputError: Too few people can be tested.
    """

    def __init__(self, collected: Collected) -> None:
        self.all = collected
        own = dict(collected.own)
        for (method, k), values in own.copy().items():
            if method == DEFAULT and collected.people:
                own[WRONG, k] = collected.other.get((DEFAULT, k), values)
        stacked = np.stack(list(own.values()), axis=1)
        values = np.concatenate([hits(stacked), log_loss(stacked), brier(stacked)], axis=1)
        pairs = pair_means(collected.person, collected.pair, values)
        sample = two_level(pairs)
        names = list(own)
        self.columns = tuple(
            column
            for place, column in enumerate(names)
            if np.count_nonzero(~np.isnan(sample.means[:, place])) >= FEWEST_PEOPLE
        )
        self.missing = [column for column in names if column not in self.columns]
        if not self.columns:
            raise InputError(
                f"{collected.name}: fewer than {FEWEST_PEOPLE} people can be tested",
                hint="give pairs of more people",
                field="data",
            )
        at = [names.index(c) + i * len(names) for i in range(len(LOSSES)) for c in self.columns]
        self.sample = Resampled(
            sample.means[:, at], sample.value[at], sample.draws[:, at], sample.counts
        )
        self.own = {column: own[column] for column in self.columns}
        self._hits = np.concatenate([each[:, at[: len(self.columns)]] for each in pairs])
        self._owner = np.repeat(np.arange(len(pairs)), [len(each) for each in pairs])

    def left_out(self) -> list[dict[str, Any]]:
        """What was asked for and cannot be told, because too few people have so many pairs."""
        return [
            {"data": self.all.name, "method": m, "shots": self._shots(k)} for m, k in self.missing
        ]

    def rows(self) -> list[Row]:
        """Every figure, column by column, then the curves' areas and the costs."""
        rows = [row for column in self.columns for row in self._rows_of(column)]
        return rows + list(self._areas()) + list(self._matches()) + list(self._costs())

    def comparisons(self) -> list[dict[str, Any]]:
        """Paired tests of each method against the baselines; p also after Holm over all."""
        asked = [(m, against, k) for m, k in self.columns for against in self._rivals(m)]
        told = [self._difference((m, k), (against, k)) for m, against, k in asked]
        found = permutation_p([own for own, _ in told])
        return [
            {
                "data": self.all.name,
                "method": method,
                "against": against,
                "shots": self._shots(k),
                "gain": float(np.mean(own)),
                "p": p,
                "p_holm": adjusted,
                "detectable_at_80_percent_power": detectable(draws),
                "share_of_people_worse": float(np.mean(own < 0)),
            }
            for (method, against, k), (own, draws), p, adjusted in zip(
                asked, told, found, holm(found), strict=True
            )
        ]

    def areas(self) -> list[dict[str, Any]]:
        """Paired tests of areas under the k-shot curve against the baselines; p also after Holm."""
        asked = [(m, against) for m in self._curves for against in self._rivals(m)]
        told = [
            (self._curves[m][0] - self._curves[r][0], self._curves[m][1] - self._curves[r][1])
            for m, r in asked
            if r in self._curves
        ]
        known = [own[~np.isnan(own)] for own, _ in told]
        found = permutation_p(known)
        return [
            {
                "data": self.all.name,
                "method": method,
                "against": against,
                "gain": float(own.mean()),
                "lo": interval(draws)[0],
                "hi": interval(draws)[1],
                "p": p,
                "p_holm": adjusted,
            }
            for (method, against), own, (_, draws), p, adjusted in zip(
                asked, known, told, found, holm(found), strict=True
            )
        ]

    def shapes(self) -> dict[str, Any]:
        """What one number cannot say: how calibrated each method is, and who gains how much.

        Of the told number of shots: by method ten points (mean confidence, share of hits), and the
        gain in accuracy over the user-blind row that each twentieth of the people stays below.
        """
        k = max((k for _, k in self.columns if k <= TOLD), default=self._least)
        methods = [method for method, shots in self.columns if shots == k]
        curves, spread = {}, {}
        for method in methods:
            known = self.own[method, k][~np.isnan(self.own[method, k])]
            curves[method] = [[round(x, 4), round(y, 4)] for x, y in reliability(known)]
            if (BLIND, k) in self.columns and method != BLIND:
                own, _ = self._difference((method, k), (BLIND, k))
                spread[method] = np.quantile(own, np.linspace(0.0, 1.0, 21)).round(4).tolist()
        return {
            "data": self.all.name,
            "shots": self._shots(k),
            "reliability": curves,
            "gains_over_user_blind": spread,
        }

    def _rows_of(self, column: Column) -> Iterator[Row]:
        place = self.columns.index(column)
        accuracies = self.sample.means[:, place]
        able = ~np.isnan(accuracies)
        for number, loss in enumerate(LOSSES):
            at = place + number * len(self.columns)
            ends = interval(self.sample.draws[:, at])
            yield self._row(column, loss, self.sample.value[at], ends, able)
        counts = self.sample.counts[:, able]
        counts = counts[counts.sum(axis=1) > 0]
        worst = worst_tenth(accuracies[able])[0]
        ends = interval(worst_tenth(accuracies[able], counts))
        yield self._row(column, "worst_decile", worst, ends, able)
        error, errors = self._calibration(column, able, counts)
        yield self._row(column, "ece", error, centred_interval(error, errors), able)
        for against in self._rivals(column[0]):
            own, draws = self._difference(column, (against, column[1]))
            name = f"gain_over_{against.replace('-', '_')}"
            yield self._row(column, name, own.mean(), interval(draws), able)
            shown = detectable(draws)
            name = f"detectable_over_{against.replace('-', '_')}"
            yield self._row(column, name, shown, (shown, shown), able)
        yield from self._personal(column)

    def _personal(self, column: Column) -> Iterator[Row]:
        """Whether what is personal really is: another's state, answers turned round, harm done."""
        if column not in self.all.other or column not in self.own:
            return
        own, other = self.own[column], self.all.other[column]
        yield from self._share(column, "gap", hits(own) - hits(other))
        turned = self.all.swapped[column]
        known = ~np.isnan(turned)
        yield from self._share(
            column, "flip_rate", np.where(known, hits(own) != hits(turned), np.nan)
        )
        if (BLIND, column[1]) in self.columns:
            yield from self._harm(column, self._gains(column, (BLIND, column[1])))
        if (column[0], 0) in self.columns:  # what the history did to them, whatever the rest does
            own_loss = self._gains(column, (column[0], 0))
            yield from self._latent(column, "harm_of_history_latent", own_loss)

    def _gains(self, one: Column, other: Column) -> Gains:
        ours, theirs = self.columns.index(one), self.columns.index(other)
        values = self._hits[:, ours] - self._hits[:, theirs]
        known = ~np.isnan(values)
        return gains(self._owner[known], values[known])

    def _harm(self, column: Column, found: Gains) -> Iterator[Row]:
        """Who loses by a method: by their plain means, beyond their noise, and without noise."""
        lost = found.mean < 0.0
        yield self._of_people(column, "negative_transfer", lost.astype(float))
        everyone = np.vstack([np.ones(len(lost)), drawn_people(len(lost))])
        if np.count_nonzero(lost) >= FEWEST_PEOPLE:
            number = everyone @ lost
            depth = (everyone @ np.maximum(-found.mean, 0.0))[number > 0] / number[number > 0]
            ends = interval(depth[1:])
            yield self._row(column, "negative_transfer_depth", depth[0], ends, lost)
        beyond = harmed(found).astype(float)
        yield self._of_people(column, "negative_transfer_beyond_noise", beyond)
        yield from self._latent(column, "negative_transfer_latent", found)

    def _latent(self, column: Column, metric: str, found: Gains) -> Iterator[Row]:
        """Who would lose, and how much, were each person asked without end."""
        able: NDArray[np.bool_] = np.ones(len(found.mean), dtype=np.bool_)
        everyone = np.vstack([np.ones(len(able)), drawn_people(len(able))])
        for name, draws in zip(("", "_depth"), latent(found, everyone), strict=True):
            ends = interval(draws[1:])
            value = float(draws[0])
            ends = (min(ends[0], value), max(ends[1], value))  # a bound at zero biases the draws
            yield self._row(column, f"{metric}{name}", value, ends, able)

    def _share(self, column: Column, metric: str, values: Array) -> Iterator[Row]:
        """A mean over people of something measured on some of the predictions."""
        keep = ~np.isnan(values)
        if not keep.any():
            return
        means = [float(own.mean()) for own in by_person(self.all.person[keep], values[keep])]
        if len(means) >= FEWEST_PEOPLE:
            yield self._of_people(column, metric, np.array(means))

    def _of_people(self, column: Column, metric: str, means: Array) -> Row:
        """A mean over people; its interval draws people anew."""
        value, lo, hi = mean_of_people(means)
        return Row(
            data=self.all.name,
            method=column[0],
            shots=self._shots(column[1]),
            metric=metric,
            value=value,
            lo=lo,
            hi=hi,
            people=len(means),
        )

    def _row(
        self,
        column: Column,
        metric: str,
        value: float,
        ends: tuple[float, float],
        able: NDArray[np.bool_],
    ) -> Row:
        return Row(
            data=self.all.name,
            method=column[0],
            shots=self._shots(column[1]),
            metric=metric,
            value=float(value),
            lo=ends[0],
            hi=ends[1],
            people=int(np.count_nonzero(able)),
        )

    @cached_property
    def _curves(self) -> dict[str, tuple[Array, Array]]:
        """Method -> area under its k-shot curve over log2(1 + k), as a mean accuracy, from 0 on.

        Of each person, and of each resample.
        """
        found: dict[str, tuple[Array, Array]] = {}
        for method in dict.fromkeys(method for method, _ in self.columns):
            shots = sorted(k for name, k in self.columns if name == method)
            if len(shots) < 2 or not self.all.people:
                continue
            steps = np.diff([log2(1 + k) for k in shots])
            weights = (np.append(steps, 0.0) + np.append(0.0, steps)) / (2.0 * steps.sum())
            at = [self.columns.index((method, k)) for k in shots]
            found[method] = (self.sample.means[:, at] @ weights, self.sample.draws[:, at] @ weights)
        return found

    def _areas(self) -> Iterator[Row]:
        for method, (means, draws) in self._curves.items():
            known = ~np.isnan(means)
            lo, hi = interval(draws)
            yield Row(
                data=self.all.name,
                method=method,
                shots=None,
                metric="area_under_curve",
                value=float(means[known].mean()),
                lo=lo,
                hi=hi,
                people=int(np.count_nonzero(known)),
            )

    def _matches(self) -> Iterator[Row]:
        """How many random answers a method needs for what so many chosen ones give.

        Of the people who have as many pairs as were shown at most, so that one curve is of one
        group. What random answers never reach counts as the most of them.
        """
        for name in dict.fromkeys(m for m, _ in self.columns if MARK in m):
            method = name.partition(MARK)[0]
            shots = sorted(k for m, k in self.columns if m == name and (method, k) in self.columns)
            if len(shots) < 3:
                continue
            both = [self.columns.index((m, k)) for m in (method, name) for k in shots]
            means = self.sample.means[:, both]
            able: NDArray[np.bool_] = np.asarray(~np.isnan(means).any(axis=1))
            if np.count_nonzero(able) < FEWEST_PEOPLE:
                continue
            counts = self.sample.counts[:, able]
            counts = np.vstack([np.ones(counts.shape[1]), counts[counts.sum(axis=1) > 0]])
            curves = counts @ means[able] / counts.sum(axis=1, keepdims=True)
            random, chosen = curves[:, : len(shots)], curves[:, len(shots) :]
            for place, k in enumerate(shots[1:-1], start=1):
                needed = reached(shots, random, chosen[:, place])
                ends = interval(needed[1:])
                column = (name, k)
                yield self._row(column, "questions_to_match", needed[0], ends, able)

    def _costs(self) -> Iterator[Row]:
        for method, costs in self.all.costs.items():
            for name, value in costs.items():
                yield Row(
                    data=self.all.name,
                    method=method,
                    shots=None,
                    metric=name,
                    value=value,
                    lo=value,
                    hi=value,
                    people=len(self.all.users),
                )

    def _calibration(
        self, column: Column, able: NDArray[np.bool_], counts: Array
    ) -> tuple[float, Array]:
        known = able[self.all.person]
        number = np.cumsum(able) - 1
        bins = bin_by_confidence(
            self.own[column][known],
            number[self.all.person[known]],
            int(np.count_nonzero(able)),
        )
        return float(expected_error(bins)[0]), expected_error(bins, counts)

    def _difference(self, one: Column, other: Column) -> tuple[Array, Array]:
        """Gain in accuracy: of each person, and of each resample."""
        ours, theirs = self.columns.index(one), self.columns.index(other)
        gains = self.sample.means[:, ours] - self.sample.means[:, theirs]
        return gains[~np.isnan(gains)], self.sample.draws[:, ours] - self.sample.draws[:, theirs]

    def _rivals(self, method: str) -> tuple[str, ...]:
        rivals = [BLIND] if (BLIND, self._least) in self.columns else []
        if method == DEFAULT and self.all.people:
            rivals.append(WRONG)
        elif (DEFAULT, self._least) in self.columns and method not in (BLIND, WRONG):
            rivals.append(DEFAULT)
        return tuple(rival for rival in rivals if rival != method)

    @cached_property
    def _least(self) -> int:
        return min(k for _, k in self.columns)

    def _shots(self, k: int) -> int | None:
        return k if self.all.people else None
