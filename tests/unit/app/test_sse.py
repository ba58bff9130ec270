from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.app.server.sse import LONGEST_EVENT, Events, event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=6), st.lists(st.integers(0, 400), max_size=12))
def test_any_cut_of_the_bytes_gives_the_same_events(values: list[object], cuts: list[int]) -> None:
    whole = b"".join(map(event, values))
    edges = [0, *sorted(min(c, len(whole)) for c in cuts), len(whole)]
    events = Events()
    found = [e for a, b in pairwise(edges) for e in events.feed(whole[a:b])]
    assert [msgspec.json.decode(e) for e in found] == values


def test_other_fields_and_line_ends_are_read_as_the_standard_says() -> None:
    raw = b": keep-alive\r\n\r\nevent: x\r\nid: 7\r\ndata:a\r\ndata: b\r\n\r\ndata: [DONE]\n\n"
    assert Events().feed(raw) == [b"a\nb", b"[DONE]"]


def test_an_event_that_was_cut_is_not_given() -> None:
    assert Events().feed(b"data: {\n") == []


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="no end"):
        Events().feed(b"data: " + b"x" * (LONGEST_EVENT + 1))
