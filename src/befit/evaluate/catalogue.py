"""The table of data sets in the reference: who is in them, how many pairs, under which licence.

``python -m befit.evaluate.catalogue`` prints it from the data that lie on the search path; a
test holds the page to it.
"""

import sys
from collections.abc import Iterable
from statistics import median

from befit.evaluate.schema import PairData, people_of
from befit.evaluate.values import load_data

HEAD = (
    "| data set | a person is | people | pairs | median | ties | times | known of a person | "
    "licence |\n|---|---|---|---|---|---|---|---|---|"
)


def line(data: PairData) -> str:
    """One data set as a row of the table; counts only where ``user`` is a person."""
    people = people_of(data.rows)
    known = dict.fromkeys(key for about in data.about.values() for key in sorted(about))
    cells = (
        f"`{data.name}`",
        str(data.notes.get("person", "not said")) if data.people else "nobody",
        f"{len(people):,}" if data.people else "",
        f"{len(data.rows):,}",
        f"{median(map(len, people.values())):g}" if data.people else "",
        f"{len(data.ties):,}" if data.ties else "",
        "yes" if all(row.at is not None for row in data.rows) else "",
        ", ".join(sorted(known)),
        data.licence,
    )
    return "| " + " | ".join(cells) + " |"


def rule(data: PairData) -> str:
    """How a data set became pairs, as an item of a list; the same for each value of a set."""
    return f"- `{data.name.partition('/')[0]}`: {data.rule}."


def table(parts: Iterable[PairData]) -> str:
    """The table, and below it the rules."""
    loaded = list(parts)
    return "\n".join([HEAD, *map(line, loaded), "", *dict.fromkeys(map(rule, loaded))])


if __name__ == "__main__":
    sys.stdout.write(table(load_data("all", 0)) + "\n")
