"""Every installed method of personal reward keeps its promises."""

import pytest

from befit.core.registry import find, names
from befit.testing.rewards import check_method

pytestmark = pytest.mark.local  # several of them fit by torch


@pytest.mark.parametrize("name", names("method"))
def test_a_method_keeps_its_promises(name: str) -> None:
    check_method(find("method", name)(), name)
