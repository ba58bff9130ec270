"""A period is counted from now, in days of UTC."""

from datetime import UTC, datetime, timedelta

import pytest

from befit.features.forget_times import Period, period_of

AT = datetime(2026, 4, 15, 12, tzinfo=UTC)  # a Wednesday
TODAY = AT.replace(hour=0)
DAY = timedelta(days=1)


def days(since: datetime, count: float = 1) -> Period:
    return Period(since=since, until=since + count * DAY - timedelta(microseconds=1))


def date(year: int, month: int, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("in the last three days", Period(since=AT - 3 * DAY)),
        ("the past week", Period(since=AT - 7 * DAY)),
        ("the last 2 hours", Period(since=AT - timedelta(hours=2))),
        ("today", Period(since=TODAY)),
        ("this morning", Period(since=TODAY)),
        ("yesterday", days(TODAY - DAY)),
        ("last night", days(TODAY - DAY / 4, 0.5)),
        ("this week", Period(since=date(2026, 4, 13))),
        ("last week", days(date(2026, 4, 6), 7)),
        ("this month", Period(since=date(2026, 4))),
        ("last month", days(date(2026, 3), 31)),
        ("this year", Period(since=date(2026, 1))),
        ("last year", days(date(2025, 1), 365)),
        ("over the weekend", days(date(2026, 4, 11), 2)),
        ("two days ago", days(TODAY - 2 * DAY)),
        ("an hour ago", Period(since=AT - DAY / 16, until=AT - DAY / 48)),
        ("since monday", Period(since=date(2026, 4, 13))),
        ("since 2026-03-01", Period(since=date(2026, 3))),
        ("on 1 march 2026", days(date(2026, 3))),
        ("since march 3rd", Period(since=date(2026, 3, 3))),
        ("in december", days(date(2025, 12), 31)),
        ("in 2024", days(date(2024, 1), 366)),
        ("before yesterday", Period(until=TODAY - DAY - timedelta(microseconds=1))),
    ],
)
def test_a_phrase_names_a_period(text: str, period: Period) -> None:
    found, rest = period_of(f"what i said {text}", AT)
    assert found is not None
    seconds = timedelta(seconds=1)
    for one, other in ((found.since, period.since), (found.until, period.until)):
        assert (one is None) == (other is None)
        assert one is None or other is None or abs(one - other) < seconds
    assert rest == "what i said"


@pytest.mark.parametrize("text", ["my divorce", "on 31 february 2026", ""])
def test_other_phrases_name_none(text: str) -> None:
    assert period_of(text, AT) == (None, text)
