"""When was it? Reads "in the last three days", "yesterday", "since March" into a period.

English. Days begin at midnight UTC, for a person's own clock is not known here.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_COUNTED = (
    "", "a an one", "two couple", "three few", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve",
)  # fmt: skip
_NUMBERS = {word: number for number, each in enumerate(_COUNTED) for word in each.split()}
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "fortnight": timedelta(days=14),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}
_MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
_MONTHS = {name: number for number, name in enumerate(_MONTH.split("|"), 1)}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_N = rf"(?P<n>\d{{1,3}}|{'|'.join(_NUMBERS)})(?: of)?"
_UNIT = rf"(?P<unit>{'|'.join(_UNITS)})s?"
_DATE = (
    r"(?P<iso>\d{4}-\d\d-\d\d)"
    rf"|(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd"
    rf"|th)? (?:of )?(?P<month>{_MONTH})(?:,? (?P<year>\d{{4}}))?"
    rf"|(?P<month2>{_MONTH})(?: (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?)?(?:,? (?P<year2>\d{{4}}))?"
    rf"|(?:last )?(?P<weekday>{'|'.join(_WEEKDAYS)})s?"
    r"|(?P<year3>(?:19|20)\d\d)"
)
_NAMED = (
    r"today|yesterday|tonight|last night|this (?:morning|afternoon|evening|week|month|year)"
    r"|last (?:week|month|year)|(?:the|this|last) weekend"
)
_LEAD = r"(?:(?:in|from|during|of|over|within|for|on|at) )?"
_PATTERNS = (
    re.compile(rf"\b{_LEAD}(?:the|these|those) (?:last|past) (?:{_N} )?{_UNIT}\b"),
    re.compile(rf"\b{_LEAD}(?:last|past) {_N} {_UNIT}\b"),
    re.compile(rf"\b(?:the )?past {_UNIT}\b"),
    re.compile(rf"\b{_LEAD}{_N} {_UNIT} ago\b"),
    re.compile(rf"\b(?P<side>since|after|before|until|up to) (?:(?P<named>{_NAMED})|{_DATE})\b"),
    re.compile(rf"\b{_LEAD}(?P<named>{_NAMED})\b(?:'s)?"),
    re.compile(rf"\b(?:in|from|on|during|of) (?:{_DATE})\b"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of time.

    Attributes:
        since: Where it begins, UTC, inclusive; None is ever since.
        until: Where it ends, UTC, inclusive; None is until now.
    """

    since: datetime | None = None
    until: datetime | None = None


def period_of(text: str, at: datetime) -> tuple[Period | None, str]:
    """The period that a text in lower case names, and the text without it.

    Args:
        text: A phrase, as "what i said in the last three days".
        at: Now, UTC.
    """
    for pattern in _PATTERNS:
        found = pattern.search(text)
        period = _period(found, at.astimezone(UTC)) if found else None
        if found and period is not None:
            rest = f"{text[: found.start()].rstrip(' ,')} {text[found.end() :].lstrip(' ,')}"
            return period, rest.strip()
    return None, text


def _period(found: re.Match[str], at: datetime) -> Period | None:
    told = {name: value for name, value in found.groupdict().items() if value}
    if "unit" in told:
        number = told.get("n", "1")
        count = int(number) if number.isdigit() else _NUMBERS[number]
        return (
            _ago(count, told["unit"], at) if "ago" in found[0] else _past(count, told["unit"], at)
        )
    whole = _named(told["named"], at) if "named" in told else _dated(told, at)
    if whole is None or whole.since is None:
        return None
    side = told.get("side", "")
    if side in ("since", "after"):
        return Period(since=whole.since)
    if side:
        return Period(until=whole.since - timedelta(microseconds=1))
    return whole


def _past(count: int, unit: str, at: datetime) -> Period:
    return Period(since=at - count * _UNITS[unit])


def _ago(count: int, unit: str, at: datetime) -> Period:
    """Around that time: the day itself, or half a unit on either side."""
    if unit == "day":
        return _stretch(_midnight(at) - timedelta(days=count), timedelta(days=1))
    middle, half = at - count * _UNITS[unit], _UNITS[unit] / 2
    return Period(since=middle - half, until=middle + half)


def _named(name: str, at: datetime) -> Period:
    today, day, week = _midnight(at), timedelta(days=1), timedelta(days=7)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    january = first.replace(month=1)
    month, year = (first - day).replace(day=1), january.replace(year=first.year - 1)
    saturday = today - timedelta(days=(today.weekday() - 5) % 7)
    known = {
        "yesterday": _stretch(today - day, day),
        "last night": _stretch(today - day / 4, day / 2),
        "this week": Period(since=monday),
        "last week": _stretch(monday - week, week),
        "this month": Period(since=first),
        "last month": _stretch(month, first - month),
        "this year": Period(since=january),
        "last year": _stretch(year, january - year),
        "weekend": _stretch(saturday, 2 * day),
    }
    key = "weekend" if name.endswith("weekend") else name
    return known.get(key, Period(since=today))  # today and its parts


def _dated(told: dict[str, str], at: datetime) -> Period | None:
    """The day, month or year that is written; the latest one that is not in the future."""
    today, day = _midnight(at), timedelta(days=1)
    try:
        if "iso" in told:
            return _stretch(datetime.fromisoformat(told["iso"]).replace(tzinfo=UTC), day)
        if "weekday" in told:
            back = (today.weekday() - _WEEKDAYS.index(told["weekday"])) % 7
            return _stretch(today - timedelta(days=back), day)
        if "year3" in told:
            began = datetime(int(told["year3"]), 1, 1, tzinfo=UTC)
            return _stretch(began, began.replace(year=began.year + 1) - began)
        month = _MONTHS[told.get("month") or told["month2"]]
        number = told.get("day") or told.get("day2")
        year = told.get("year") or told.get("year2")
        began = datetime(int(year or at.year), month, int(number or 1), tzinfo=UTC)
        if began > at and not year:
            began = began.replace(year=began.year - 1)
        following = datetime(began.year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return _stretch(began, day if number else following - began)
    except ValueError:  # there is no such day
        return None


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _stretch(since: datetime, length: timedelta) -> Period:
    return Period(since=since, until=since + length - timedelta(microseconds=1))
