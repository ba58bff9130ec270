"""The sets that measure universal values rather than people: harmless, honest, helpful.

They know no person, so nothing personal can be learned from them: each value is measured apart,
without shots. Guards are fitted and checked elsewhere, in ``befit.values.fitting``.
"""

from collections.abc import Mapping
from dataclasses import replace

from befit.core.errors import UnknownComponentError
from befit.core.registry import find, names
from befit.evaluate.datasets.hh_rlhf import HhRlhf
from befit.evaluate.datasets.hhh import HhhAlignment
from befit.evaluate.datasets.truthfulqa import TruthfulQa
from befit.evaluate.datasets.xstest import XsTest
from befit.evaluate.schema import Dataset, PairData

VALUE_SETS: Mapping[str, type[Dataset]] = {
    "hh-rlhf": HhRlhf,
    "hhh-alignment": HhhAlignment,
    "truthfulqa": TruthfulQa,
    "xstest": XsTest,
}


def known_data() -> list[str]:
    """Names of all data sets: people's and values', sorted."""
    return sorted({*names("dataset"), *VALUE_SETS})


def load_data(name: str, seed: int) -> list[PairData]:
    """A data set by name; a values set as one part per value, named ``set/value``.

    Raises:
        UnknownComponentError: There is no such data set; the hint lists those there are.
        MissingDataError: Its files are not on the search path.
    """
    if name in VALUE_SETS:
        return by_value(VALUE_SETS[name]().load(seed))
    if ":" not in name and name not in names("dataset"):
        raise UnknownComponentError(
            f"there is no data set named {name!r}",
            hint=f"known: {', '.join(known_data())}; or give --pairs FILE",
            field="data",
        )
    loader: Dataset = find("dataset", name)()
    return [loader.load(seed)]


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
