"""block: fired at every nth block of a chain."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from task_engine.compiler.schema.base import ChainId, Form


class BlockConfig(Form):
    """Fires when the block's number is a multiple of `interval`."""

    interval: Annotated[int, Field(gt=0)]
    chain_id: ChainId
