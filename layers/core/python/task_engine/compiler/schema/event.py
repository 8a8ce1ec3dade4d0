"""event: fired by logs of a chain."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from task_engine.compiler.schema.base import Address, ChainId, Form, Text

_TOPIC = re.compile(r"0x(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})")


def _topic(value: object) -> object:
    if value in (None, "", "null"):
        return value
    if isinstance(value, str) and ("{{" in value or _TOPIC.fullmatch(value)):
        return value
    raise ValueError("must be a topic: 0x and 64 hexadecimal digits, an address, or empty for any")


class EventCondition(Form):
    """A decoded field compared with a value."""

    field_name: Text
    operator: Literal["eq", "ne", "gt", "gte", "lt", "lte", "contains"]
    value: str
    field_type: str | None = None


class EventMethodCall(Form):
    """A read call whose result enriches the event."""

    method_name: Text
    call_data: str | None = None
    apply_to_fields: list[str] | None = None
    method_params: list[Any] | None = None


class EventQuery(Form):
    """Logs by address and topic, filtered by conditions."""

    addresses: list[Address] | None = None
    topics: list[Annotated[str | None, BeforeValidator(_topic)]] | None = None
    max_events_per_block: Annotated[int, Field(gt=0)] | None = None
    contract_abi: list[Any] | None = None
    conditions: list[EventCondition] | None = None
    method_calls: list[EventMethodCall] | None = None


class EventConfig(Form):
    """The queries are alternatives."""

    queries: Annotated[list[EventQuery], Field(min_length=1)]
    chain_id: ChainId
    cooldown_seconds: Annotated[int, Field(ge=0)] | None = None
