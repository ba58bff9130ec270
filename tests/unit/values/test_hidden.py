"""Hidden states: shape, independence of the batch, that the prompt is read, what is lacking."""

import sys

import numpy as np
import pytest

from befit.core.errors import MissingExtraError
from befit.values.reading import INSIDE, Reading, inside


def test_the_small_features_read_none() -> None:
    assert inside("small") is None
    empty = np.zeros((1, 4), dtype=np.float32)
    with pytest.raises(ValueError, match="hidden states"):
        Reading(["a"], ["b"], empty, empty).block("inside")


def test_what_runs_a_language_model_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "befit.values.hidden", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError):
        inside("local")


@pytest.mark.local
def test_states_belong_to_their_own_row() -> None:
    read = inside("local")
    assert read is not None
    prompts = ["How do I boil an egg?", "How do I pick a lock?", "", "Hi " * 500]
    texts = ["In water, for six minutes.", "In water, for six minutes.", "", "Yes. " * 500]
    together = read(prompts, texts)
    assert together.shape == (4, INSIDE)
    assert np.isfinite(together).all()
    for row in range(4):
        (alone,) = read(prompts[row : row + 1], texts[row : row + 1])
        # bfloat16 rounds a little otherwise in another batch
        assert np.corrcoef(alone, together[row])[0, 1] > 0.999
    assert not np.allclose(together[0], together[1], atol=0.1)  # the same reply, asked otherwise
