"""One eth_getLogs filter for many checks, and what nodes say when its answer would be too large.

https://ethereum.github.io/execution-apis/api-documentation/
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from task_engine.evm.failures import RpcError
from task_engine.model.json_value import JsonValue
from task_engine.operator.checks import EventCheck

MAX_ADDRESSES = 500
MAX_TOPICS = 1000
"""geth refuses more alternatives for one topic."""

_TOO_LARGE = re.compile(
    r"more than [\d,]+ (?:results|logs)|max(?:imum)?(?: allowed)? (?:results|(?:block )?range)"
    r"|blocks? range|range too|range is too|ranges? over|too many (?:results|logs|blocks)"
    r"|limited to (?:a |0 - )?[\d,]+|logs matched|response (?:size|is too|too)|result set"
    r"|limit exceeded|exceeds? (?:the )?limit|query time|timed? ?out|entity too large",
    re.IGNORECASE,
)
_SOMETHING_ELSE = re.compile(
    r"rate|per second|beyond (?:the )?current head|too many requests|request count|unauthorized",
    re.IGNORECASE,
)


def union_filter(checks: Iterable[EventCheck]) -> dict[str, JsonValue] | None:
    """The filter whose answer holds every log that any check can take; None when none can take any.

    Contracts stand in it only when every query names its own and they are not too many, first
    topics likewise: a query for anything makes the union one for anything.
    """
    queries = [query for check in checks for query in check.queries if not query.asks_state]
    if not queries:
        return None
    union: dict[str, JsonValue] = {}
    if all(query.addresses for query in queries):
        addresses = {address for query in queries for address in query.addresses}
        if len(addresses) <= MAX_ADDRESSES:
            union["address"] = list[JsonValue](sorted(addresses))
    firsts = {query.topics[0] if query.topics else None for query in queries}
    topics = sorted(topic for topic in firsts if topic is not None)
    if len(topics) == len(firsts) <= MAX_TOPICS:
        union["topics"] = [list[JsonValue](topics)]
    return union


def too_large(error: RpcError) -> bool:
    """Whether a smaller range may be answered where this one was not.

    The texts are those of Alchemy, Infura, QuickNode, Ankr, Chainstack, dRPC, 1RPC, BSC's and
    Base's public nodes, geth, Reth and Erigon; their codes are used for other things too.
    """
    if _SOMETHING_ELSE.search(error.message):
        return False
    return bool(_TOO_LARGE.search(error.message))
