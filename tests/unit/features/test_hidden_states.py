from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra befit[local] is not installed")

from befit.core.errors import BefitError, InputError
from befit.core.protocols import Encoder
from befit.features.hidden_states import HiddenStates
from befit.models.catalogue import checked, spec
from befit.models.causal import forget_loaded
from befit.testing import check_encoder

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def encoder() -> Iterator[HiddenStates]:
    try:
        checked(spec("smollm2-135m-instruct"))
    except BefitError as error:
        pytest.skip(f"the embedded model is absent: {error}")
    yield HiddenStates(most_tokens=48)
    forget_loaded()


def test_it_is_an_encoder(encoder: HiddenStates) -> None:
    check_encoder(cast("Encoder", encoder))  # an array is not typed as a sequence of sequences


def test_texts_alike_are_nearer_than_others(encoder: HiddenStates) -> None:
    cooking, baking, law, court = encoder.encode(
        [
            "Boil the pasta for ten minutes and add some cheese.",
            "Bake the bread for an hour and let it cool.",
            "The tenant shall pay the rent on the first day of each month.",
            "The court found that the contract had been broken.",
        ]
    )
    assert min(cooking @ baking, law @ court) > max(cooking @ law, baking @ court, cooking @ court)


def test_what_all_texts_share_is_taken_off(encoder: HiddenStates) -> None:
    vectors = encoder.encode(["A cat.", "Taxes rise.", "print(1)", "I am so happy today!"])
    assert np.abs(vectors @ vectors.T - np.eye(4)).max() < 0.9


def test_what_is_beyond_the_tokens_read_changes_nothing(encoder: HiddenStates) -> None:
    long = "word " * 48
    one, other = encoder.encode([long, f"{long}and something else"])
    assert np.abs(one - other).max() < 1e-3


@pytest.mark.parametrize(("field", "value"), [("depth", 0.0), ("depth", 1.5), ("most_tokens", 0)])
def test_an_option_out_of_range_is_named(field: str, value: float) -> None:
    with pytest.raises(InputError) as caught:
        HiddenStates(**{field: value})  # type: ignore[arg-type]
    assert caught.value.field == field
