"""What the clock says of a moment: the part of the day and of the week, and the season.

Each is a condition of a scope ("when:weekend"; see `belief.scopes`), so a belief of it is there
whenever it comes round, and not in between. It reads no clock: the moment is given.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from befit.belief.scopes import DAY, TIMES, WEEK, YEAR, conditions
from befit.core.errors import ConfigError

_ROUNDS = (DAY, WEEK, YEAR)
_SATURDAY = 5
_INSTANT = timedelta(microseconds=1)
_QUARTER = 900  # seconds; no zone is off by less than a quarter of an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Whose clock says what time it is.

    Attributes:
        zone: IANA name of the time zone.
        south: Whether it is south of the equator, where June is winter.
    """

    zone: str = "UTC"
    south: bool = False

    def local(self, at: datetime) -> datetime:
        """The moment as the wall clock shows it.

        Raises:
            ConfigError: There is no such zone.
        """
        return at.astimezone(_zone(self.zone))

    def says(self, at: datetime) -> tuple[str, ...]:
        """One name of each of `DAY`, `WEEK` and `YEAR`.

        Raises:
            ConfigError: There is no such zone.
        """
        return _says(self.zone, int(at.timestamp() // _QUARTER), south=self.south)

    def placed(self, scope: str, at: datetime) -> str:
        """The scope, with what the clock says where the scope itself does not.

        Args:
            scope: As it was asked for; "when:evening" or "evening" in it stands.
            at: The moment; midnight is the end of the day before.

        Raises:
            ConfigError: There is no such zone.
        """
        return _placed(scope, self.says(at - _INSTANT))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"there is no time zone {name!r}",
            hint='an IANA name such as "Europe/Berlin"',
            field="inferer.zone",
        ) from error


@lru_cache(maxsize=8192)
def _says(zone: str, quarter: int, *, south: bool) -> tuple[str, ...]:
    local = datetime.fromtimestamp(quarter * _QUARTER, UTC).astimezone(_zone(zone))
    season = (local.month % 12 // 3 + (2 if south else 0)) % len(YEAR)
    return DAY[local.hour // 6], WEEK[local.weekday() >= _SATURDAY], YEAR[season]


@lru_cache(maxsize=1024)
def _placed(scope: str, times: tuple[str, ...]) -> str:
    given = conditions(scope)
    told = [scope] if scope else []
    for around, name in zip(_ROUNDS, times, strict=True):
        if not any(f"when:{each}" in given for each in around):
            told.append(f"when:{name}")
    return "/".join(told)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a belief is asked for.

    Attributes:
        clock: Whose clock it is.
        times: What it says: names of `belief.scopes.TIMES`.
    """

    clock: Clock
    times: frozenset[str]

    @classmethod
    def of(cls, clock: Clock, scope: str) -> "Moment":
        """The moment that a scope tells which `Clock.placed` made."""
        named = (each.removeprefix("when:") for each in conditions(scope))
        return cls(clock, TIMES & frozenset(named))

    def alike(self, name: str, at: datetime) -> bool:
        """Whether another moment is on the same side of a time as this one."""
        return (name in self.times) == (name in self.clock.says(at))
