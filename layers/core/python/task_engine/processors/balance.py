"""balance: what an address holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Protocol

from task_engine.compiler.chain_names import chain_id_of
from task_engine.errors import NodeError
from task_engine.evm.abi.formatting import apply_decimals
from task_engine.evm.address import Address, is_address
from task_engine.evm.balances import NATIVE, BalanceQuery, Holding
from task_engine.evm.eth_call import until_of
from task_engine.model.execution import ChainUse, Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.rest_config import bounded, invalid, required_text
from task_engine.processors.templated import Templated

_MAX_TOKENS = 200


class BalanceProvider(Protocol):
    """Where balances come from: the chain itself, or an indexer."""

    name: str

    def balances(self, query: BalanceQuery) -> list[Holding]:
        """The native coin and every requested token, with zero balances; other tokens as far as
        the provider knows them. Raises EngineErrors."""


class BalanceProcessor:
    """`<node>.data` is an array of tokens, the native coin first.

    Tokens worth less than `minUsdValue` are left out where their worth is known.
    """

    def __init__(self, provider: BalanceProvider) -> None:
        self._provider = provider

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for a configuration that can't work, and what the provider raises."""
        config = node.config
        query = _query(config, scope)
        wanted = _Wanted(config)
        scope.calls.spend(1 + len(query.tokens))
        holdings = self._provider.balances(query)
        return Outcome(
            data=[_item(holding) for holding in holdings if wanted.shows(holding)],
            chain=ChainUse(query.chain_id, self._provider.name),
        )

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - as any processor
        """It only reads."""
        return True


class _Wanted:
    """Which holdings the node asked for."""

    def __init__(self, config: Mapping[str, JsonValue]) -> None:
        self._zero = _flag(config, "includeZeroBalances")
        self._spam = _flag(config, "includeSpam")
        self._least = _least_usd(config)

    def shows(self, holding: Holding) -> bool:
        if holding.requested or holding.address == NATIVE:
            return True
        if (holding.spam and not self._spam) or (not holding.raw and not self._zero):
            return False
        return holding.usd_value is None or holding.usd_value >= self._least


def _query(config: Mapping[str, JsonValue], scope: Scope) -> BalanceQuery:
    address = required_text(config.get("address"), "address")
    given = config.get("chain") or config.get("chainId")
    chain = str(given) if type(given) is int else required_text(given, "chain")
    tokens = config.get("tokenAddresses") or []
    if not isinstance(tokens, list) or len(tokens) > _MAX_TOKENS:
        raise invalid(f"tokenAddresses must be a list of at most {_MAX_TOKENS} addresses")
    for field, text in (("address", address), ("chain", chain)):
        bounded(text, field, scope.limits.max_template_bytes)
    fields = Templated(scope)
    address = fields.text("address", address).strip()
    chain = fields.text("chain", chain).strip()
    named = [fields.value(f"tokenAddresses[{i}]", token) for i, token in enumerate(tokens)]
    fields.check()
    if not is_address(address):
        raise NodeError(
            "address is not an address: 0x and 40 hexadecimal digits", code="INVALID_ADDRESS"
        )
    chain_id = chain_id_of(chain)
    if chain_id is None:
        raise invalid("chain must be a chain: a name such as sepolia or base, or an id")
    return BalanceQuery(chain_id, Address(address), _addresses(named), until_of(scope.deadline))


def _addresses(given: Sequence[JsonValue]) -> tuple[str, ...]:
    """The tokens meant, each once; the native coin and what is no address are left out."""
    found = (_token_address(item) for item in given)
    checked = (Address(text) for text in found if is_address(text))
    return tuple(dict.fromkeys(address for address in checked if address != NATIVE))


def _token_address(item: JsonValue) -> str:
    """An address as text, or the `id` or `address` of an object, itself as JSON text perhaps."""
    if isinstance(item, str) and item.lstrip().startswith("{"):
        try:
            item = json.loads(item)
        except (ValueError, RecursionError):
            return ""
    if isinstance(item, dict):
        item = item.get("address") or item.get("id")
    return item.strip() if isinstance(item, str) else ""


def _flag(config: Mapping[str, JsonValue], name: str) -> bool:
    value = config.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise invalid(f"{name} must be true or false")


def _least_usd(config: Mapping[str, JsonValue]) -> Decimal:
    dollars = _amount(config, "minUsdValue")
    return dollars if dollars else _amount(config, "minUsdValueCents") / 100


def _amount(config: Mapping[str, JsonValue], name: str) -> Decimal:
    value = config.get(name)
    if value is None:
        return Decimal(0)
    try:
        amount = Decimal(str(value)) if not isinstance(value, bool) else Decimal(-1)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise invalid(f"{name} must be a number of 0 or more")
    return amount


def _item(holding: Holding) -> JsonValue:
    item: dict[str, JsonValue] = {
        "symbol": holding.symbol,
        "name": holding.name,
        "balance": str(holding.raw),
        "balanceFormatted": apply_decimals(holding.raw, holding.decimals),
        "decimals": holding.decimals,
        "tokenAddress": holding.address,
    }
    for name, value in (("usdPrice", holding.usd_price), ("usdValue", holding.usd_value)):
        if value is not None:
            item[name] = float(value)
    return item
