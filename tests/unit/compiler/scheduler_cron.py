"""Evaluates EventBridge Scheduler's `cron(…)`, written from its documentation alone.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True)
class SchedulerCron:
    """Minute, hour, day of month, month, day of week (1 = Sunday), year; None stands for `?`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None

    @classmethod
    def parse(cls, expression: str) -> SchedulerCron:
        """Asserts what the service would refuse."""
        assert expression.startswith("cron(")
        assert expression.endswith(")")
        minute, hour, day, month, weekday, year = expression[5:-1].split(" ")
        assert year == "*"
        # One of the two must be `?`, never both.
        assert (day == "?") != (weekday == "?")
        return cls(
            _field(minute, 0, 59),
            _field(hour, 0, 23),
            None if day == "?" else _field(day, 1, 31),
            _field(month, 1, 12),
            None if weekday == "?" else _field(weekday, 1, 7),
        )

    def times(self, first: date, days: int) -> set[datetime]:
        """All times on that many days."""
        return {
            datetime(day.year, day.month, day.day, hour, minute)
            for day in (first + timedelta(days=n) for n in range(days))
            if self._on(day)
            for hour in self.hours
            for minute in self.minutes
        }

    def _on(self, day: date) -> bool:
        weekday = day.isoweekday() % 7 + 1
        return (
            day.month in self.months
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or weekday in self.weekdays)
        )


def _field(text: str, least: int, most: int) -> frozenset[int]:
    chosen: set[int] = set()
    for part in text.split(","):
        bounds, _, step = part.partition("/")
        if bounds == "*":
            low, high = least, most
        elif "-" in bounds:
            low, high = (int(bound) for bound in bounds.split("-"))
        else:
            low = int(bounds)
            high = most if step else low
        assert least <= low <= high <= most
        chosen.update(range(low, high + 1, int(step or 1)))
    return frozenset(chosen)
