"""event: fired by logs of a chain."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from task_engine.compiler.schema.base import (
    TEMPLATE,
    Address,
    CallData,
    ChainId,
    Form,
    Text,
    described,
    has_template,
)

_TOPIC = re.compile(r"0x(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})")
_ANY = frozenset({"", "null"})


def is_topic(value: str) -> bool:
    """0x and 32 bytes, or an address (padded later), or a word for anything."""
    return value in _ANY or _TOPIC.fullmatch(value) is not None


def _topic(value: str) -> str:
    if has_template(value) or is_topic(value):
        return value
    raise ValueError("must be a topic: 0x and 64 hexadecimal digits, an address, or empty for any")


_TOPIC_TEXT = described(
    rf"^(0x([0-9a-fA-F]{{64}}|[0-9a-fA-F]{{40}})|null)?$|{TEMPLATE}",
    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
)


class EventCondition(Form):
    """A decoded field compared with a value."""

    field_name: Text
    operator: Literal["eq", "ne", "gt", "gte", "lt", "lte", "contains"]
    value: str
    field_type: str | None = None


class EventMethodCall(Form):
    """A read call whose result enriches the event."""

    method_name: Text
    call_data: CallData | None = None
    apply_to_fields: list[str] | None = None
    method_params: list[Any] | None = None


class EventQuery(Form):
    """Logs by address and topic, filtered by conditions."""

    addresses: Annotated[list[Address], Field(max_length=1000)] | None = None
    topics: (
        Annotated[
            list[Annotated[str, AfterValidator(_topic), _TOPIC_TEXT] | None], Field(max_length=4)
        ]
        | None
    ) = None
    max_events_per_block: Annotated[int, Field(gt=0)] | None = None
    contract_abi: list[dict[str, Any]] | None = None
    conditions: list[EventCondition] | None = None
    method_calls: list[EventMethodCall] | None = None


class EventConfig(Form):
    """The queries are alternatives."""

    queries: Annotated[list[EventQuery], Field(min_length=1, max_length=100)]
    chain_id: ChainId
    cooldown_seconds: Annotated[int, Field(ge=0)] | None = None
