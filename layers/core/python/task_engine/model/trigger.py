"""What starts a task."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from task_engine.model.json_value import JsonObject, JsonValue


class TriggerType(StrEnum):
    """Trigger kinds, by their words on the wire."""

    MANUAL = "manual"
    FIXED_TIME = "fixedTime"
    CRON = "cron"
    BLOCK = "block"
    EVENT = "event"

    @property
    def enum_name(self) -> str:
        """The contract's long name, e.g. TRIGGER_TYPE_FIXED_TIME."""
        return f"TRIGGER_TYPE_{self.name}"

    @property
    def on_chain(self) -> bool:
        """Whether operators watch for it."""
        return self in (TriggerType.BLOCK, TriggerType.EVENT)


@dataclass(frozen=True, slots=True)
class Trigger:
    """The trigger as its author wrote it; `config` is checked per type at create."""

    id: str
    name: str
    type: TriggerType
    config: JsonObject


@dataclass(frozen=True, slots=True)
class TriggerRecord:
    """What one firing brought: the same canonical record on every path.

    `data` is step 0's output and `{{<trigger>.data}}`; `headers` and `path_params` are given by
    manual triggers only. `variables` are call-time variables merged over the task's own.
    """

    type: TriggerType
    data: JsonValue
    headers: dict[str, JsonValue] | None = None
    path_params: dict[str, JsonValue] | None = None
    variables: dict[str, JsonValue] = field(default_factory=dict)
    simulated: bool = False
