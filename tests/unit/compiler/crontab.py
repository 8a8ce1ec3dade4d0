"""Evaluates crontab's five fields minute by minute, as crontab(5) describes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS = "sun mon tue wed thu fri sat".split()


def crontab_times(expression: str, first: date, days: int) -> set[datetime]:
    """All times on that many days. Day and weekday are alternatives, unless one begins with `*`."""
    minute, hour, day, month, weekday = expression.lower().split()
    minutes, hours = _field(minute, 0, 59, []), _field(hour, 0, 23, [])
    month_days, months = _field(day, 1, 31, []), _field(month, 1, 12, _MONTHS)
    weekdays = {number % 7 for number in _field(weekday, 0, 7, _WEEKDAYS)}
    both = day.startswith("*") or weekday.startswith("*")

    def fires_on(today: date) -> bool:
        fits = today.day in month_days, today.isoweekday() % 7 in weekdays
        return today.month in months and (all(fits) if both else any(fits))

    return {
        datetime(today.year, today.month, today.day, h, m)
        for today in (first + timedelta(days=n) for n in range(days))
        if fires_on(today)
        for h in hours
        for m in minutes
    }


def _field(text: str, least: int, most: int, names: list[str]) -> set[int]:
    def number(word: str) -> int:
        return names.index(word) + (1 if names is _MONTHS else 0) if word in names else int(word)

    chosen: set[int] = set()
    for part in text.split(","):
        bounds, _, step = part.partition("/")
        if bounds == "*":
            low, high = least, most
        elif "-" in bounds:
            low, high = (number(word) for word in bounds.split("-"))
        else:
            low = number(bounds)
            high = most if step else low
        chosen.update(range(low, high + 1, int(step or 1)))
    return chosen
