"""Surface features: in range, deterministic, moved by what they are named after, and cheap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.features.style import FEATURES, measure, style_vector

PLAIN = "The train leaves at noon. It reaches the coast before the evening."

HIGHER = {
    "length": PLAIN + " " + "More words follow here. " * 60,
    "sentence_length": "The train leaves the old station at noon and it reaches the far coast long "
    "before the evening because the line is straight and the engine is strong and new.",
    "paragraph_length": PLAIN * 12,
    "lists": "- The train leaves\n- It reaches the coast\n- Evening comes",
    "steps": "1. The train leaves\n2. It reaches the coast\n3. Evening comes",
    "headings": "# Trains\nThe train leaves at noon.",
    "emphasis": "The **train** leaves at noon. It reaches the **coast**.",
    "technicality": "The TCP handshake authenticates via oauth_token before reinitialisation.",
    "examples": "For example, the train leaves at noon. For instance, it reaches the coast.",
    "hedging": "Perhaps the train leaves at noon. It might possibly reach the coast.",
    "warmth": "Thank you, dear friend. I am so glad and happy that you came.",
    "humour": "Haha, just kidding, that was a silly joke.",
    "second_person": "You take your train at noon. You reach your coast.",
    "first_person": "I take my train at noon. We reach our coast.",
    "figures": "The train leaves at 12:05 and runs 310 km in 4.5 hours for 89 euros.",
    "sources": "According to https://example.org the train leaves [1]. See https://example.com.",
    "emoji": "The train leaves at noon 🚂 and reaches the coast 🌊",
    "questions": "When does the train leave? Where does it go?",
    "exclamation": "The train leaves! It reaches the coast!",
    "code": "Run `train --leave noon` and\n```\ncoast()\n```",
    "reading_grade": "Transcontinental locomotives characteristically necessitate considerable "
    "infrastructural investment notwithstanding intermittent profitability.",
    "nuance": "However, the train is late, although it depends. On the other hand, it is cheap.",
    "formality": "Furthermore, the train shall depart; consequently, all shall therefore wait.",
    "directness": "You must take the train. Never be late. Always use the front door.",
}


def test_every_feature_has_a_case() -> None:
    assert set(HIGHER) == set(FEATURES)
    assert len(FEATURES) >= 16


@pytest.mark.parametrize("feature", FEATURES)
def test_feature_rises_with_what_it_is_named_after(feature: str) -> None:
    assert measure(HIGHER[feature])[feature] > measure(PLAIN)[feature] + 0.1


def test_formality_and_directness_have_two_ends() -> None:
    assert measure("Hey guys, it's gonna be super cool, yeah!")["formality"] < -0.5
    assert measure("Perhaps you could consider it, maybe, please.")["directness"] < -0.5


@given(st.text(max_size=400))
def test_any_text_is_in_range_and_deterministic(text: str) -> None:
    measured = measure(text)
    assert tuple(measured) == FEATURES
    assert all(-1.0 <= value <= 1.0 for value in measured.values())
    assert np.array_equal(style_vector(text), np.array(list(measured.values())))
