"""fixedTime: fired once at each of some times."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from task_engine.compiler.schema.base import Form

# Year 9999: what a date can still say.
_LAST_MS = 253_402_300_799_000


class FixedTimeConfig(Form):
    """`epochs` in ms; past ones are accepted and never fire."""

    epochs: Annotated[
        list[Annotated[int, Field(gt=0, le=_LAST_MS)]],
        Field(min_length=1, max_length=100),
    ]
