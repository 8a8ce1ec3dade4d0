"""Routes of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from task_engine.api.access import Access
from task_engine.api.application import Application
from task_engine.api.chain_query import chain_id_of
from task_engine.api.http import Reply, Request
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.json_value import JsonValue

if TYPE_CHECKING:
    from task_engine.evm.tokens import TokenMetadata

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")


class Tokens(Protocol):
    """What is known about tokens."""

    def lookup(self, chain_id: int, address: str) -> TokenMetadata:
        """Raises EngineError when the chain can't be asked."""


def token_json(chain_id: int, token: TokenMetadata) -> dict[str, JsonValue]:
    """A TokenMetadataResponse; addresses are in lower case here."""
    found: dict[str, JsonValue] = {
        "found": token.found,
        "address": token.address.lower(),
        "chainId": chain_id,
    }
    if token.found:
        found |= {"name": token.name, "symbol": token.symbol, "decimals": token.decimals}
        found["source"] = token.source
    return found


def add_routes(app: Application, tokens: Callable[[], Tokens]) -> None:
    """All routes below /tokens: for partners alone, as the contract has it."""

    def get(request: Request) -> Reply:
        address = request.path["address"]
        if _ADDRESS.fullmatch(address) is None:
            problem = Problem("INVALID_ADDRESS", "address", "must be 0x and 40 hexadecimal digits")
            raise InvalidRequest("the token's address is malformed", (problem,), code=problem.code)
        chain_id = chain_id_of(request, "INVALID_REQUEST")
        return Reply(200, token_json(chain_id, tokens().lookup(chain_id, address)))

    app.add("GET", "/tokens/<address>", get, access=Access.PARTNER)
