"""Alignment accuracy: how often a reward puts the chosen text first."""

import numpy as np
from numpy.typing import NDArray


def hits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where the chosen text is put first, 0 where it is not, one half for an exact tie.

    The threshold is fixed: a pair has no natural order, so choosing one on test data would leak.

    Args:
        probabilities: That the chosen text beats the rejected, any shape, in [0, 1].

    Source: survey arXiv:2503.17003 table 4 (alignment accuracy).
    """
    result: NDArray[np.float64] = 0.5 + 0.5 * np.sign(probabilities - 0.5)
    return result
