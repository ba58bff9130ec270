"""Texts are ranked as a person would, with reasons that a person reads."""

from collections.abc import Callable
from typing import Any

import pytest

Befit = Callable[..., Any]
SHORT = "Go to bed at ten."
LONG = "There is a great deal to say about sleep, and much of it depends on the hour. " * 6


def test_who_wants_it_short_ranks_the_short_text_first(befit: Befit) -> None:
    befit("remember", "ana", "Please keep your answers very short.")
    ranked = befit("rank", "ana", "How can I sleep better?", LONG, SHORT, "--json").json
    assert [each["text"] for each in ranked] == [SHORT, LONG]
    assert ranked[0]["score"] > ranked[1]["score"]
    for each in ranked:
        assert sum(each["why"].values()) == pytest.approx(each["score"])
        assert "wish: length" in each["why"]
    told = befit("rank", "ana", "How can I sleep better?", LONG, SHORT).out
    assert told.index("Go to bed") < told.index("There is a great deal")
    assert "wish: length" in told


def test_a_stranger_has_no_wishes_and_one_text_is_no_ranking(befit: Befit) -> None:
    ranked = befit("rank", "nobody", "How?", SHORT, LONG, "--json").json
    assert [each["score"] for each in ranked] == [0.0, 0.0]
    assert befit("rank", "nobody", "How?", SHORT).code == 2
