"""Pairs and figures for the commands that learn and evaluate."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from befit.core.dialogue import Context, Draft, Message
from befit.core.errors import InputError
from befit.core.feedback import Comparison
from befit.core.people import UserId
from befit.evaluate.datasets.jsonl import read_pairs
from befit.evaluate.schema import Row

MOST_ROWS = 400  # figures that are printed whole


def comparisons(file: Path, at: datetime) -> list[Comparison]:
    """The pairs of a file as comparisons; ``at`` stands where a line has no date.

    Raises:
        InvalidImportError: The file does not read.
    """
    return [
        Comparison(
            context=Context(
                user=UserId(row.user), messages=(Message("user", row.prompt),), at=row.at or at
            ),
            chosen=Draft(text=row.chosen, policy="file"),
            rejected=Draft(text=row.rejected, policy="file"),
        )
        for row in read_pairs(file).rows
    ]


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers, separated by commas.

    Raises:
        InputError: Something else stands there.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"{text!r} is no list of numbers", hint="write 0,1,2,4,8,16", field="shots"
        ) from error


def headline(rows: Sequence[Row]) -> Sequence[Row]:
    """All figures where they are few, else the accuracies: the rest stands in the JSON."""
    return rows if len(rows) <= MOST_ROWS else [row for row in rows if row.metric == "accuracy"]


def notes(metadata: Mapping[str, Any]) -> Iterator[str]:
    """What must be known beside the figures of an evaluation of rewards."""
    for each in metadata["not_tested"]:
        yield f"not tested: {each['data']}: {each['why']}"
    for each in metadata["left_out_for_too_few_people"]:
        yield f"left out, too few people: {each['data']}, {each['method']}, {each['shots']} shots"
    gates = metadata["gates"]
    for each in gates:
        if not each["met"]:
            yield f"not met: {each['data']}: {each['wanted']}; measured {each['value']:.3f}"
    yield f"gates met: {sum(each['met'] for each in gates)} of {len(gates)}"


def table(rows: Sequence[Row]) -> str:
    """The figures in lines, a method and a number of shots each."""
    head = f"{'data':<28} {'method':<14} {'shots':>5} {'metric':<18} {'value':>7}  95 % interval"
    lines = [
        f"{r.data:<28} {r.method:<14} {'' if r.shots is None else r.shots:>5} {r.metric:<18} "
        f"{r.value:>7.3f}  {r.lo:.3f} to {r.hi:.3f}  ({r.people} people)"
        for r in rows
    ]
    return "\n".join([head, *lines])
