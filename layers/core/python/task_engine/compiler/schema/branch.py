"""branch: chooses where the run goes on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from task_engine.compiler.schema.base import Form, Text


class BranchCondition(Form):
    """One arm; an else has no expression."""

    id: Annotated[Text, Field(max_length=128)]
    type: Literal["if", "elseIf", "else"]
    expression: str | None = None

    @model_validator(mode="after")
    def _else_is_bare(self) -> BranchCondition:
        if self.type == "else" and self.expression and self.expression.strip():
            raise ValueError("is an else: it can't have an expression")
        return self


class BranchConfig(Form):
    """In order; the first is no else, ids are distinct."""

    conditions: Annotated[list[BranchCondition], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _ordered(self) -> BranchConfig:
        if self.conditions[0].type == "else":
            raise ValueError("has an else as its first condition: begin with an if")
        seen: set[str] = set()
        for condition in self.conditions:
            if condition.id in seen:
                raise ValueError(f"has two conditions with the id {condition.id[:60]!r}")
            seen.add(condition.id)
        return self
