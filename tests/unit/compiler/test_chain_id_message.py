"""A missing chain is named in the spelling that clients look for."""

from __future__ import annotations

import re

from task_engine.compiler.schema.base import problems_of
from task_engine.compiler.schema.block import BlockConfig


def test_a_missing_chain_is_named_in_both_spellings() -> None:
    (problem,) = problems_of(BlockConfig, {"interval": 10}, "trigger.config", "INVALID")
    assert (problem.code, problem.path) == ("MISSING_REQUIRED_FIELD", "trigger.config.chainId")
    assert re.search(r"chain_id", problem.message)
    assert problem.message.startswith("chainId is required")
