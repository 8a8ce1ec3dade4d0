"""The create request around trigger, nodes and edges."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from task_engine.compiler.schema.base import Address, Form, Text

_LAST_MS = 253_402_300_799_000
# Ids are parts of storage keys and travel with every walk.
Id = Annotated[Text, Field(max_length=128)]
Milliseconds = Annotated[int, Field(ge=0, le=_LAST_MS)]


class TriggerForm(Form):
    """`config` is checked by its type's form."""

    type: Text
    name: Text
    config: dict[str, Any]
    id: Annotated[str, Field(max_length=128)] | None = None


class RetryForm(Form):
    """Tries in all, and seconds before the second (then doubled)."""

    max_attempts: Annotated[int, Field(ge=1, le=5)] = 1
    backoff_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0


class NodeForm(Form):
    """`config` is checked by its type's form; without a name, the id is the name. When a node
    fails, what follows it still runs, unless `onError` is stop."""

    id: Id
    type: Text
    config: dict[str, Any]
    name: str | None = None
    retry: RetryForm | None = None
    on_error: Literal["continue", "stop"] | None = None


class EdgeForm(Form):
    """From the trigger's id, a node's id or `branchId.conditionId` to a node's id."""

    id: Id
    source: Text
    target: Text


class CreateForm(Form):
    """POST /workflows."""

    smart_wallet_address: Address | None = None
    trigger: dict[str, Any]
    nodes: Annotated[list[dict[str, Any]], Field(min_length=1)]
    edges: Annotated[list[dict[str, Any]], Field(min_length=1)]
    input_variables: dict[str, Any]
    name: Annotated[str, Field(max_length=255)] | None = None
    start_at: Milliseconds | None = None
    expired_at: Milliseconds | None = None
    max_execution: Annotated[int, Field(ge=1, le=2**53)] | None = None
