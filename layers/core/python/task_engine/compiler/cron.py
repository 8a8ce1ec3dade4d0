"""Cron expressions: five fields or a descriptor, their times, and EventBridge Scheduler's form.

https://man7.org/linux/man-pages/man5/crontab.5.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_DESCRIPTORS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELD = re.compile(r"[0-9A-Za-z*,/-]+")
_NAME = re.compile(r"[A-Za-z]+")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS = "sun mon tue wed thu fri sat".split()
_SPAN = re.compile(r"(?<!\d)(\d+)-(\d+)/\d+")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_LONGEST = 200


class CronError(ValueError):
    """Not a schedule; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Cron:
    """Either five fields, or a period in seconds (`@every`)."""

    fields: str = ""
    every_seconds: int = 0


def parse_cron(text: str) -> Cron:
    """Raises CronError."""
    cleaned = " ".join(text.split())
    if len(cleaned) > _LONGEST:
        raise CronError(f"a schedule may have {_LONGEST} characters at most")
    if cleaned.startswith("@every"):
        return Cron(every_seconds=_period(cleaned.removeprefix("@every").strip()))
    fields = _DESCRIPTORS.get(cleaned.lower(), cleaned)
    parts = fields.split(" ")
    if len(parts) != 5 or not all(_FIELD.fullmatch(part) for part in parts):
        raise CronError("use five fields (minute hour day month weekday) or a descriptor")
    # The parser takes a stepped range of one value for a start: 5-5/2 for 5/2.
    minute, hour, day, month, weekday = parts
    month, weekday = _numbered(month, _MONTHS, 1), _numbered(weekday, _WEEKDAYS, 0)
    fields = _SPAN.sub(_single, f"{minute} {hour} {day} {month} {weekday}")
    try:
        CronSim(fields, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise CronError(str(error).lower() or "not a cron expression") from error
    return Cron(fields=fields)


def _numbered(field: str, names: list[str], first: int) -> str:
    def number(name: re.Match[str]) -> str:
        word = name.group().lower()
        return str(names.index(word) + first) if word in names else name.group()

    return _NAME.sub(number, field)


def _single(span: re.Match[str]) -> str:
    return span[1] if int(span[1]) == int(span[2]) else span.group()


def _period(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise CronError("use @every with a duration such as 10m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    period = hours * 3600 + minutes * 60 + seconds
    if period < 60 or period % 60:
        raise CronError("@every needs whole minutes, one at least")
    return period


def zone_of(name: str) -> ZoneInfo:
    """Raises CronError for an unknown time zone (IANA names)."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CronError(f"unknown time zone {name[:60]!r}: use an IANA name") from error


def fires_after(text: str, zone: str, start_ms: int, count: int) -> list[int]:
    """Up to `count` times in ms, strictly after `start_ms`; raises CronError."""
    cron = parse_cron(text)
    if cron.every_seconds:
        period = cron.every_seconds * 1000
        first = (start_ms // period + 1) * period
        return [first + i * period for i in range(count)]
    start = datetime.fromtimestamp(start_ms / 1000, zone_of(zone))
    return [_ms(time) for time in islice(_times(cron.fields, start), count)]


def last_fire_at_or_before(text: str, zone: str, now_ms: int) -> int | None:
    """The latest time in ms that is not after now; None when there was none."""
    cron = parse_cron(text)
    if cron.every_seconds:
        period = cron.every_seconds * 1000
        return now_ms // period * period
    # Backwards from the next whole minute, so that this minute itself is found.
    later = (now_ms // 60_000 + 1) * 60_000
    end = datetime.fromtimestamp(later / 1000, zone_of(zone))
    return next((_ms(time) for time in _times(cron.fields, end, reverse=True)), None)


def _times(fields: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    try:
        yield from CronSim(fields, start, reverse=reverse)
    except CronSimError as error:
        raise CronError(str(error).lower()) from error


def _ms(time: datetime) -> int:
    return int(time.timestamp()) * 1000


def to_scheduler_expressions(text: str) -> list[str]:
    """`cron(…)` or `rate(…)`, two where day and weekday are alternatives; raises CronError.

    Scheduler wants `?` for day or weekday, so it knows neither both nor their combination.
    """
    cron = parse_cron(text)
    if cron.every_seconds:
        minutes = cron.every_seconds // 60
        return [f"rate({minutes} minute{'s' if minutes > 1 else ''})"]
    sim = CronSim(cron.fields, datetime(2026, 1, 1, tzinfo=UTC))
    if not all(isinstance(item, int) for item in sim.weekdays):
        raise CronError("the nth weekday of a month can't be scheduled")
    if any(day < 1 for day in sim.days):
        raise CronError("the last day of a month can't be scheduled")
    minutes_hours = f"{_values(sim.minutes, 0, 59)} {_values(sim.hours, 0, 23)}"
    month = _values(sim.months, 1, 12)
    days = _values(sim.days, 1, 31)
    # Vixie counts from Sunday = 0 (7 too), Scheduler from Sunday = 1.
    weekdays = _values({int(str(day)) % 7 + 1 for day in sim.weekdays}, 1, 7)
    every_day, every_weekday = days == "*", weekdays == "*"
    by_day = f"cron({minutes_hours} {days} {month} ? *)"
    by_weekday = f"cron({minutes_hours} ? {month} {weekdays} *)"
    if sim.day_and:
        # One of the two begins with a star: crontab then wants both to hold.
        if every_weekday:
            return [by_day]
        if every_day:
            return [by_weekday]
        raise CronError("a step of days can't be combined with weekdays: use two schedules")
    if every_day or every_weekday:
        return [f"cron({minutes_hours} * {month} ? *)"]
    return [by_day, by_weekday]


def _values(chosen: Collection[int], least: int, most: int) -> str:
    """`*`, a step from a start, or a list with ranges."""
    values = sorted(chosen)
    if values == list(range(least, most + 1)):
        return "*"
    if len(values) > 2:
        step = values[1] - values[0]
        if step > 1 and values == list(range(values[0], most + 1, step)):
            return f"{values[0]}/{step}"
    return ",".join(_runs(values))


def _runs(values: list[int]) -> Iterator[str]:
    start = previous = values[0]
    for value in [*values[1:], -1]:
        if value == previous + 1:
            previous = value
            continue
        yield str(start) if start == previous else f"{start}-{previous}"
        start = previous = value
