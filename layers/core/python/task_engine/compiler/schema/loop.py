"""loop: runs one node for every item of a list."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from task_engine.compiler.schema.base import Form, Text


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
    iter_val: Text | None = None
    iter_var: Text | None = None
    iter_key: Text | None = None
    execution_mode: str | None = None
    iteration_timeout: Annotated[int, Field(gt=0, le=360)] | None = None
