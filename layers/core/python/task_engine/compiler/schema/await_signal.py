"""await: waits for a decision or for an event on chain."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from task_engine.compiler.schema.base import Address, Form
from task_engine.compiler.schema.event import EventConfig


class AwaitConfig(Form):
    """Exactly one of `channel` and `chainEvent`; 0 seconds = one day."""

    channel: Literal["telegram", "api"] | None = None
    approvers: list[Address] | None = None
    prompt: str | None = None
    chain_event: EventConfig | None = None
    timeout_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    on_reject: Literal["fail", "continue"] | None = None

    @model_validator(mode="after")
    def _one_flavour(self) -> AwaitConfig:
        if (self.channel is None) == (self.chain_event is None):
            raise ValueError("needs exactly one of channel and chainEvent")
        return self
