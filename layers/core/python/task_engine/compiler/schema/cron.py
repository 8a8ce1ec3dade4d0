"""cron: fired by schedules."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from task_engine.compiler.cron import CronError, parse_cron, to_scheduler_expressions, zone_of
from task_engine.compiler.schema.base import Form, described


def _schedule(text: str) -> str:
    try:
        parse_cron(text)
        to_scheduler_expressions(text)
    except CronError as error:
        raise ValueError(f"is not a schedule: {error}") from error
    return text


def _zone(name: str) -> str:
    try:
        zone_of(name)
    except CronError as error:
        raise ValueError(str(error)) from error
    return name


class CronConfig(Form):
    """Five fields or a descriptor each; the time zone (IANA, default UTC) is the task's."""

    schedules: Annotated[
        list[Annotated[str, AfterValidator(_schedule), described("", "0 * * * *", "@daily")]],
        Field(min_length=1, max_length=20),
    ]
    timezone: Annotated[str, AfterValidator(_zone), described("", "Europe/Zurich")] | None = None
