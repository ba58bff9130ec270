"""Meaning and style side by side."""

from collections.abc import Sequence

import numpy as np

from befit.features.feature_map import FeatureMap
from befit.features.style import FEATURES, style_vector


class Letters:
    """A unit vector by the first letter."""

    name = "letters"
    width = 3

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [np.eye(3)[ord(text[0]) % 3].tolist() for text in texts]


def test_the_embedding_comes_first_and_the_style_after() -> None:
    features = FeatureMap(Letters(), 0.5)
    texts = ["A plain line.", "- one\n- two\n- three"]
    got = features.vectors(["?", "?"], texts)
    assert got.shape == (2, features.width) == (2, 3 + len(FEATURES))
    assert np.array_equal(got[:, :3], Letters().encode(texts))
    assert np.allclose(got[1, 3:], 0.5 / len(FEATURES) ** 0.5 * style_vector(texts[1]))


def test_style_alone_tells_two_texts_of_one_meaning_apart() -> None:
    short, long = FeatureMap(Letters()).vectors(["", ""], ["A.", "A" + " word" * 200 + "."])
    assert np.linalg.norm(short - long) > 0.1
    short, long = FeatureMap(Letters(), 0.0).vectors(["", ""], ["A.", "A" + " word" * 200 + "."])
    assert np.array_equal(short, long)


def test_no_text_has_no_row() -> None:
    features = FeatureMap(Letters())
    assert features.vectors([], []).shape == (0, features.width)


def test_the_name_tells_other_coordinates_apart() -> None:
    assert FeatureMap(Letters(), 1.0).name != FeatureMap(Letters(), 2.0).name
    assert FeatureMap(Letters()).name == FeatureMap(Letters()).name
    assert FeatureMap(Letters()).name.startswith("letters+style-")
