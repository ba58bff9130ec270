"""Every installed method of personal reward keeps its promises."""

from dataclasses import replace

import pytest

from befit.core.registry import find, names
from befit.testing.rewards import check_method

pytestmark = pytest.mark.local  # several of them fit by torch
SLOW = {"drift", "judge", "likelihood-ratio", "synthesize-me"}  # a language model reads the texts


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in names("method")],
)
def test_a_method_keeps_its_promises(name: str) -> None:
    method = find("method", name)()
    if hasattr(method, "most_texts"):
        method = replace(method, most_texts=8)
    check_method(method, name)
