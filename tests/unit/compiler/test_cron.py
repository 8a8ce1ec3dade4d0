"""Cron expressions: their times, and their form for EventBridge Scheduler."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_engine.compiler.cron import (
    CronError,
    fires_after,
    last_fire_at_or_before,
    parse_cron,
    to_scheduler_expressions,
)

from tests.unit.compiler.crontab import crontab_times
from tests.unit.compiler.scheduler_cron import SchedulerCron

YEAR = (date(2027, 12, 1), 400)  # with a 29th of February


def _ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def _text(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


def _scheduled(expression: str) -> set[datetime]:
    """What Scheduler does with our translation."""
    return {
        moment
        for translated in to_scheduler_expressions(expression)
        for moment in SchedulerCron.parse(translated).times(*YEAR)
    }


@pytest.mark.parametrize(
    ("expression", "translated"),
    [
        ("0 * * * *", ["cron(0 * * * ? *)"]),
        ("*/5 * * * *", ["cron(0/5 * * * ? *)"]),
        ("0 9 * * 1-5", ["cron(0 9 ? * 2-6 *)"]),
        ("0 9 * * SUN", ["cron(0 9 ? * 1 *)"]),
        ("0 9 * * 7", ["cron(0 9 ? * 1 *)"]),
        ("0 9 1,15 * *", ["cron(0 9 1,15 * ? *)"]),
        ("0 0 13 * 5", ["cron(0 0 13 * ? *)", "cron(0 0 ? * 6 *)"]),
        ("0 0 1-31 * 1", ["cron(0 0 * * ? *)"]),
        ("0 0 1 * 0-6", ["cron(0 0 * * ? *)"]),
        ("0 0 1 JAN,jul *", ["cron(0 0 1 1,7 ? *)"]),
        ("@hourly", ["cron(0 * * * ? *)"]),
        ("@Daily", ["cron(0 0 * * ? *)"]),
        ("@weekly", ["cron(0 0 ? * 1 *)"]),
        ("@monthly", ["cron(0 0 1 * ? *)"]),
        ("@yearly", ["cron(0 0 1 1 ? *)"]),
        ("@every 10m", ["rate(10 minutes)"]),
        ("@every 1h30m", ["rate(90 minutes)"]),
        ("@every 1m", ["rate(1 minute)"]),
        ("@every 120s", ["rate(2 minutes)"]),
        ("  0   12 * *  * ", ["cron(0 12 * * ? *)"]),
    ],
)
def test_known_translations(expression: str, translated: list[str]) -> None:
    assert to_scheduler_expressions(expression) == translated


MINUTES_HOURS = ["0 0", "*/7 */5", "5-20/5 8-18", "0,30 1,2,3,22", "59 23", "10/20 4/6"]
DAYS_MONTHS_WEEKDAYS = [
    "* * *",
    "1 * *",
    "*/2 * *",
    "*/10 2 *",
    "29 feb *",
    "31 * *",
    "* 1-3,12 *",
    "* * 0",
    "* * 7",
    "* * mon-fri",
    "* * */3",
    "* * 5,6,7",
    "* * 1-7",
    "13 * 5",
    "1,15 6 0-2",
    "1-31 * 3",
    "1-7 * 1/2",
    "10 jan,dec sun,wed",
    "1-30/3 * 6",
    "* * mon-1/2",
    "5-5/2 * *",
]


@pytest.mark.parametrize("days", DAYS_MONTHS_WEEKDAYS)
@pytest.mark.parametrize("hours", MINUTES_HOURS)
def test_scheduler_fires_when_crontab_would_over_a_year(hours: str, days: str) -> None:
    expression = f"{hours} {days}"
    expected = crontab_times(expression, *YEAR)
    assert expected
    assert _scheduled(expression) == expected


def _field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    spans = st.tuples(number, number).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, 15)
    stepped = st.tuples(st.one_of(st.just("*"), spans), step).map(lambda p: f"{p[0]}/{p[1]}")
    part = st.one_of(number.map(str), spans, stepped)
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


# Not every minute of every hour: a year of those takes its time.
_TIMES = st.one_of(
    _field(0, 59).map(lambda minutes: f"{minutes} 3"),
    _field(0, 23).map(lambda hours: f"7 {hours}"),
)
_EXPRESSIONS = st.tuples(_TIMES, _field(1, 31), _field(1, 12), _field(0, 7)).map(" ".join)


@given(_EXPRESSIONS)
@settings(max_examples=150, deadline=None)
def test_any_expression_is_translated_faithfully_or_refused(expression: str) -> None:
    try:
        scheduled = _scheduled(expression)
    except CronError:
        # Refused: either it never fires, or a star's step would have to hold with a weekday.
        day, _, weekday = expression.split()[2:]
        assert not crontab_times(expression, *YEAR) or (
            (day.startswith("*") or weekday.startswith("*")) and (day != "*" and weekday != "*")
        )
        return
    assert scheduled == crontab_times(expression, *YEAR)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        translated = to_scheduler_expressions(text)
    except CronError as error:
        translated = [str(error)]
    assert translated
    assert all(translated)


_FIELDS = ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *"]
_FORMS = [
    "",
    " ",
    "* * * *",
    "* * * * * *",
    "5-1 * * * *",
    "*/0 * * * *",
    "0 " * 200,
    "* * * mon *",
]
_PERIODS = ["@every 30s", "@every 90s", "@every 0m", "@every 1d", "@every -5m", "@reboot"]
_SPECIAL = ["0 0 ? * *", "0 0 LW * *", "0 0 L * *", "0 0 * * 5L", "0 0 * * 1#1", "0 0 1-L * *"]
_NEVER = ["0 0 30 2 *", "0 0 */2 * 1"]


@pytest.mark.parametrize("text", [*_FIELDS, *_FORMS, *_PERIODS, *_SPECIAL, *_NEVER])
def test_what_can_not_be_scheduled_is_refused(text: str) -> None:
    with pytest.raises(CronError) as caught:
        to_scheduler_expressions(text)
    assert str(caught.value)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(CronError, match="IANA"):
        fires_after("0 * * * *", "Nowhere/Else", 0, 1)


def test_the_next_times_are_strictly_after_the_start() -> None:
    start = _ms("2026-01-01T12:00:00")
    assert [_text(t) for t in fires_after("0 */6 * * *", "UTC", start, 3)] == [
        "2026-01-01T18:00",
        "2026-01-02T00:00",
        "2026-01-02T06:00",
    ]
    assert _text(fires_after("0 */6 * * *", "UTC", start - 1, 1)[0]) == "2026-01-01T12:00"


def test_times_are_those_of_the_zone() -> None:
    start = _ms("2026-03-28T00:00:00")
    # Clocks in Berlin go forward on the 29th of March 2026
    assert [_text(t) for t in fires_after("30 9 * * *", "Europe/Berlin", start, 3)] == [
        "2026-03-28T08:30",
        "2026-03-29T07:30",
        "2026-03-30T07:30",
    ]


def test_a_period_counts_from_the_epoch() -> None:
    assert fires_after("@every 10m", "UTC", 1_000, 2) == [600_000, 1_200_000]
    assert last_fire_at_or_before("@every 10m", "UTC", 1_199_999) == 600_000


def test_a_rare_schedule_ends_by_itself_and_soon() -> None:
    start = time.perf_counter()
    fires = fires_after("0 0 29 2 *", "America/New_York", _ms("2026-01-01T00:00:00"), 64)
    assert _text(fires[0]) == "2028-02-29T05:00"
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("expression", "zone", "now", "fired"),
    [
        ("0 * * * *", "UTC", "2026-01-01T12:00:00", "2026-01-01T12:00"),
        ("0 * * * *", "UTC", "2026-01-01T12:00:30", "2026-01-01T12:00"),
        ("0 * * * *", "UTC", "2026-01-01T11:59:59.999", "2026-01-01T11:00"),
        ("0 9 * * *", "Asia/Tokyo", "2026-01-02T00:00:00", "2026-01-02T00:00"),
        ("0 9 * * *", "Asia/Tokyo", "2026-01-01T23:59:59", "2026-01-01T00:00"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00", "2024-02-29T00:00"),
        ("0 0 13 * 5", "UTC", "2026-01-08T12:00:00", "2026-01-02T00:00"),
        ("30 9 * * *", "Europe/Berlin", "2026-03-29T07:30:00", "2026-03-29T07:30"),
    ],
)
def test_the_last_time_at_or_before(expression: str, zone: str, now: str, fired: str) -> None:
    found = last_fire_at_or_before(expression, zone, _ms(now))
    assert found is not None
    assert _text(found) == fired


@pytest.mark.parametrize(
    ("expression", "zone"),
    list(product(["*/15 * * * *", "7 3 * * 1-5", "0 0 1,15 * 3"], ["UTC", "Asia/Kolkata"])),
)
def test_looking_back_finds_what_looking_ahead_foretold(expression: str, zone: str) -> None:
    for fire in fires_after(expression, zone, _ms("2026-02-03T04:05:06"), 20):
        assert last_fire_at_or_before(expression, zone, fire) == fire
        assert last_fire_at_or_before(expression, zone, fire + 59_999) == fire
        before = last_fire_at_or_before(expression, zone, fire - 1)
        assert before is not None
        assert before < fire


def test_parsing_gives_fields_or_a_period() -> None:
    assert parse_cron("@daily").fields == "0 0 * * *"
    assert parse_cron("@every 1h").every_seconds == 3600
