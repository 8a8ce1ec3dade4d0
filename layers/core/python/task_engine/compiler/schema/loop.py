"""loop: runs one node for every item of a list."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from task_engine.compiler.naming import item_name_problem
from task_engine.compiler.schema.base import Form, Text


def _item_name(name: str) -> str:
    problem = item_name_problem(name) if name else None
    if problem:
        raise ValueError(problem)
    return name


ItemName = Annotated[str, AfterValidator(_item_name)]


class LoopRunner(Form):
    """The node to run; its configuration is checked by its own type's form."""

    type: Text
    config: dict[str, Any]
    id: str | None = None
    name: str | None = None


class LoopConfig(Form):
    """`iterVal` (also `iterVar`) names the item, `iterKey` its position; seconds for one item."""

    input_variable: Text
    runner: LoopRunner
    iter_val: ItemName | None = None
    iter_var: ItemName | None = None
    iter_key: ItemName | None = None
    execution_mode: str | None = None
    iteration_timeout: Annotated[float, Field(ge=0, le=3600)] | None = None

    @model_validator(mode="after")
    def _distinct(self) -> LoopConfig:
        if (self.iter_val or self.iter_var or "value") == (self.iter_key or "index"):
            raise ValueError("names the item and its position alike: choose another iterKey")
        return self


def item_names(config: dict[str, Any]) -> tuple[str, str]:
    """What the runner knows the item and its position by."""
    return (
        str(config.get("iterVal") or config.get("iterVar") or "value"),
        str(config.get("iterKey") or "index"),
    )
