"""Consent: the last decision counts, a withdrawal first, and sensitive needs a word of its own."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.errors import InputError
from befit.memory.consent import ASSUMED, EVER, KINDS, PURPOSES, SENSITIVE, Grant, allows

DAY = datetime(2026, 3, 1, tzinfo=UTC)
grants = st.lists(
    st.builds(
        Grant,
        kind=st.sampled_from(KINDS),
        purpose=st.sampled_from(PURPOSES),
        allowed=st.booleans(),
        at=st.integers(0, 5).map(lambda n: DAY + timedelta(days=n)),
    ),
    max_size=8,
)
kinds, purposes = st.sampled_from(KINDS), st.sampled_from(PURPOSES)
days = st.integers(-1, 6).map(lambda n: DAY + timedelta(days=n))


def _grant(kind: str, allowed: bool, day: int, purpose: str = "train") -> Grant:
    return Grant(kind=kind, purpose=purpose, allowed=allowed, at=DAY + timedelta(days=day))


@given(grants, kinds, purposes, st.booleans(), days)
def test_order_does_not_matter(
    given_: list[Grant], kind: str, purpose: str, sensitive: bool, at: datetime
) -> None:
    turned = [*reversed(given_)]
    assert allows(given_, kind, purpose, sensitive, at) == allows(
        turned, kind, purpose, sensitive, at
    )


@given(grants, kinds, purposes, st.booleans(), days)
def test_a_withdrawal_ends_it_and_a_later_grant_begins_it_again(
    given_: list[Grant], kind: str, purpose: str, sensitive: bool, at: datetime
) -> None:
    withdrawn = Grant(kind=kind, purpose=purpose, allowed=False, at=at)
    past = [each for each in given_ if each.at <= at]
    assert not allows([*past, withdrawn], kind, purpose, sensitive, at)
    later = at + timedelta(seconds=1)
    again = [Grant(kind=k, purpose=purpose, allowed=True, at=later) for k in (kind, SENSITIVE)]
    assert allows([*past, withdrawn, *again], kind, purpose, sensitive, later)
    assert not allows([*past, withdrawn, *again], kind, purpose, sensitive, at)


@given(grants, kinds, purposes, days)
def test_sensitive_is_never_easier(
    given_: list[Grant], kind: str, purpose: str, at: datetime
) -> None:
    plain = allows(given_, kind, purpose, False, at)
    assert plain or not allows(given_, kind, purpose, True, at)


@given(grants, kinds, purposes, st.booleans(), days)
def test_another_purpose_changes_nothing(
    given_: list[Grant], kind: str, purpose: str, sensitive: bool, at: datetime
) -> None:
    own = [each for each in given_ if each.purpose == purpose]
    assert allows(own, kind, purpose, sensitive, at) == allows(given_, kind, purpose, sensitive, at)


def test_nothing_is_allowed_without_a_grant() -> None:
    assert not any(allows((), kind, purpose, False) for kind in KINDS for purpose in PURPOSES)
    assert allows(ASSUMED, "stated", "personalize", False, EVER)
    assert not allows(ASSUMED, "stated", "personalize", True)
    assert not allows(ASSUMED, "demographic", "personalize", False)
    assert not any(allows(ASSUMED, kind, "train", False) for kind in KINDS)


def test_a_withdrawal_of_the_same_moment_counts() -> None:
    both = [_grant("stated", True, 1), _grant("stated", False, 1)]
    assert not allows(both, "stated", "train", False)


@pytest.mark.parametrize(("kind", "purpose"), [("", "train"), ("stated", "sell")])
def test_what_does_not_exist_is_refused(kind: str, purpose: str) -> None:
    with pytest.raises(InputError, match="there is no"):
        allows((), kind, purpose, False)
