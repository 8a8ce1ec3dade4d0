"""The chain that a request means."""

from __future__ import annotations

import re

from task_engine.api.http import Request
from task_engine.errors import InvalidRequest, Problem

_NUMBER = re.compile(r"[0-9]{1,19}")


def chain_id_of(request: Request, code: str) -> int:
    """`chainId` of the query, else the caller's default; raises InvalidRequest with `code`."""
    text = request.one("chainId")
    if not text:
        return request.principal.chain_id
    if _NUMBER.fullmatch(text) is None or not 0 < int(text) < 2**63:
        problem = Problem(code, "chainId", "must be a positive whole number")
        raise InvalidRequest("the chain is unknown", (problem,), code=code)
    return int(text)
