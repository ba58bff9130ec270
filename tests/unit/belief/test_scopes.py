"""Scopes: places nest, conditions combine."""

import pytest

from befit.belief.scopes import depth, distance


@pytest.mark.parametrize(
    ("wider", "scope", "levels"),
    [
        ("", "", 0),
        ("work", "work", 0),
        ("", "work/mail", 2),
        ("work", "work/mail", 1),
        ("work/mail", "work", None),
        ("work", "workshop", None),
        ("home", "work", None),
        ("with:family", "work/with:family", 1),
        ("work", "work/with:family", 1),
        ("", "work/with:family", 2),
        ("with:family/work", "work/with:family", 0),
        ("with:boss", "work/with:family", None),
        ("home", "work/with:family", None),
        ("work/with:boss", "work/mail/with:boss/when:evening", 1),
    ],
)
def test_how_far_a_scope_lies_in_another(wider: str, scope: str, levels: int | None) -> None:
    assert distance(wider, scope) == levels


def test_depth_counts_segments() -> None:
    assert [depth(s) for s in ("", "work", "work/with:boss")] == [0, 1, 2]
