"""Balances from an indexer: all tokens of an address, with prices, without a list of tokens.

Any HTTP service that answers

    GET <INDEXER_URL>/balances?chainId=8453&address=0x…&tokens=0x…,0x…

with JSON of the form

    {"balances": [{"tokenAddress": "0x…", "symbol": "USDC", "name": "USD Coin", "decimals": 6,
                   "balance": "1500000", "usdPrice": 1.0, "usdValue": 1.5, "spam": false}]}

will do. `balance` is in base units, as text or a whole number; the native coin stands under
0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE; the three fields about worth may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode, urlsplit, urlunsplit

from task_engine.errors import NodeError
from task_engine.evm.address import Address, is_address
from task_engine.evm.balances import NATIVE, BalanceQuery, Holding, native_coin
from task_engine.evm.token_list import listed
from task_engine.evm.tokens import UNKNOWN_NAME, UNKNOWN_SYMBOL, USUAL_DECIMALS
from task_engine.model.json_value import JsonValue
from task_engine.net.message import HttpRequest, HttpResponse
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.http_record import retryable_status
from task_engine.processors.json_text import parse_json


class IndexerBalances:
    """Asks the indexer at `url`; requested tokens that it does not tell of are zero. `currencies`
    names the native coin by chain where the indexer leaves it out."""

    name = "indexer"

    def __init__(self, http: SafeHttp, url: str, currencies: Mapping[int, str]) -> None:
        self._http = http
        self._url = url
        self._currencies = currencies

    def balances(self, query: BalanceQuery) -> list[Holding]:
        """The native coin, requested tokens, then the rest in the indexer's order. Raises NodeError
        RPC_NODE_ERROR when the indexer does not answer as it should."""
        response = self._http.request(self._request(query))
        found = {holding.address: holding for holding in _holdings(response, query)}
        coin = self._currencies.get(query.chain_id, "ETH")
        native = found.pop(NATIVE, native_coin(coin, 0))
        requested = [found.pop(t, _unheld(query.chain_id, t)) for t in query.tokens]
        return [native, *requested, *found.values()]

    def _request(self, query: BalanceQuery) -> HttpRequest:
        base = urlsplit(self._url)
        asked = {"chainId": str(query.chain_id), "address": query.address}
        if query.tokens:
            asked["tokens"] = ",".join(query.tokens)
        path = base.path.rstrip("/") + "/balances"
        more = urlencode(asked)
        text = f"{base.query}&{more}" if base.query else more
        url = urlunsplit((base.scheme, base.netloc, path, text, ""))
        deadline = float("inf") if query.until is None else query.until
        return HttpRequest("GET", url, (("Accept", "application/json"),), None, deadline)


def _holdings(response: HttpResponse, query: BalanceQuery) -> list[Holding]:
    if response.status != 200:
        raise _failed(f"answered with status {response.status}", retryable_status(response.status))
    try:
        answer = parse_json(response.body.decode("utf-8", "replace"))
    except ValueError as error:
        raise _failed("did not answer with JSON", False) from error
    listed = answer.get("balances") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise _failed("did not answer with balances", False)
    return [_holding(item, query) for item in listed if isinstance(item, dict)]


def _holding(item: Mapping[str, JsonValue], query: BalanceQuery) -> Holding:
    address, raw, decimals = item.get("tokenAddress"), item.get("balance"), item.get("decimals")
    try:
        if not is_address(address) or isinstance(raw, bool | float):
            raise ValueError("no address or no whole number")
        checked = Address(str(address))
        return Holding(
            symbol=str(item.get("symbol") or UNKNOWN_SYMBOL),
            name=str(item.get("name") or UNKNOWN_NAME),
            raw=int(str(raw)),
            decimals=USUAL_DECIMALS if decimals is None else int(str(decimals)),
            address=checked,
            requested=checked in query.tokens,
            spam=item.get("spam") is True,
            usd_price=_dollars(item.get("usdPrice")),
            usd_value=_dollars(item.get("usdValue")),
        )
    except (ValueError, InvalidOperation) as error:
        raise _failed("told of a balance that can't be read", False) from error


def _dollars(given: JsonValue) -> Decimal | None:
    return None if given is None else Decimal(str(given))


def _unheld(chain_id: int, address: str) -> Holding:
    token = listed(chain_id, address)
    if token is None:
        return Holding(UNKNOWN_SYMBOL, UNKNOWN_NAME, 0, USUAL_DECIMALS, address, requested=True)
    return Holding(token.symbol, token.name, 0, token.decimals, address, requested=True)


def _failed(what: str, retryable: bool) -> NodeError:
    return NodeError(f"the indexer {what}", code="RPC_NODE_ERROR", retryable=retryable)
