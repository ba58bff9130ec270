"""All data sets by name: people's, made people's, and those that measure universal values.

The values' sets know no person, so nothing personal can be learned from them: harmless, honest and
helpful are measured apart, without shots. Guards are fitted and checked elsewhere, in
``befit.values.fitting``.
"""

from collections.abc import Mapping
from dataclasses import replace

from befit.core.errors import UnknownComponentError
from befit.core.registry import find, names
from befit.evaluate.datasets.hh_rlhf import HhRlhf
from befit.evaluate.datasets.hhh import HhhAlignment
from befit.evaluate.datasets.oasst1 import Oasst1
from befit.evaluate.datasets.truthfulqa import TruthfulQa
from befit.evaluate.datasets.xstest import XsTest
from befit.evaluate.schema import Dataset, PairData

VALUE_SETS: Mapping[str, type[Dataset]] = {
    "hh-rlhf": HhRlhf,
    "hhh-alignment": HhhAlignment,
    "oasst1": Oasst1,
    "truthfulqa": TruthfulQa,
    "xstest": XsTest,
}
MADE = "synthetic-"  # what the names of made people's sets begin with
GROUPS = ("all", "people", "synthetic", "values")


def known_data() -> list[str]:
    """Names of all data sets: people's, made people's and values', sorted."""
    return sorted({*names("dataset"), *VALUE_SETS})


def members(name: str) -> list[str]:
    """The data sets that a name stands for: one of `GROUPS`, or one data set.

    Raises:
        UnknownComponentError: There is no such data set; the hint lists those there are.
    """
    known = known_data()
    if name in GROUPS:
        kinds = {one: _group(one) for one in known}
        return [one for one, kind in kinds.items() if name in {"all", kind}]
    if ":" not in name and name not in known:
        raise UnknownComponentError(
            f"there is no data set named {name!r}",
            hint=f"known: {', '.join(known)}; the groups {', '.join(GROUPS)}; or give --pairs FILE",
            field="data",
        )
    return [name]


def load_data(name: str, seed: int) -> list[PairData]:
    """A data set or a group of them; a values set as one part per value, named ``set/value``.

    Raises:
        UnknownComponentError: There is no such data set; the hint lists those there are.
        MissingDataError: Its files are not on the search path.
    """
    return [part for one in members(name) for part in _load(one, seed)]


def _load(name: str, seed: int) -> list[PairData]:
    if name in VALUE_SETS:
        return by_value(VALUE_SETS[name]().load(seed))
    loader: Dataset = find("dataset", name)()
    return [loader.load(seed)]


def _group(name: str) -> str:
    if name in VALUE_SETS:
        return "values"
    return "synthetic" if name.startswith(MADE) else "people"


def by_value(data: PairData) -> list[PairData]:
    """One data set for each universal value named in the rows."""
    values = dict.fromkeys(row.attributes["value"] for row in data.rows)
    return [
        replace(
            data,
            name=f"{data.name}/{value}",
            rows=tuple(row for row in data.rows if row.attributes["value"] == value),
        )
        for value in values
    ]
