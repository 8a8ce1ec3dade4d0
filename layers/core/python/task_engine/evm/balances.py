"""What an address holds, asked from the chain itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from task_engine.evm.address import Address
from task_engine.evm.erc20 import balance_of, read_uint
from task_engine.evm.eth_call import LATEST, RpcRequest, eth_call, quantity, returned
from task_engine.evm.failures import RpcError
from task_engine.evm.token_list import TOKENS
from task_engine.evm.tokens import (
    REQUESTS_PER_TOKEN,
    Answer,
    Rpcs,
    TokenMetadata,
    TokenService,
    metadata_requests,
)
from task_engine.model.chain import Chain

NATIVE = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"
"""Stands for the chain's own coin where a token's address is expected."""
_NATIVE_NAMES = {"ETH": "Ether", "BNB": "BNB", "POL": "POL", "AVAX": "Avalanche"}
_NATIVE_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class Holding:
    """`raw` in base units; USD values are None when unknown. `requested` ones are always shown,
    as the native coin is."""

    symbol: str
    name: str
    raw: int
    decimals: int
    address: str
    requested: bool = False
    spam: bool = False
    usd_price: Decimal | None = None
    usd_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BalanceQuery:
    """`address` and `tokens` checksummed; `until` in monotonic seconds, None = no end."""

    chain_id: int
    address: str
    tokens: tuple[str, ...] = ()
    until: float | None = None


class ChainTable(Rpcs, Protocol):
    """Nodes and the settings of chains."""

    def chain(self, chain_id: int) -> Chain:
        """Raises NodeError for a chain that is not configured."""


class RpcBalances:
    """The native coin, the listed tokens and the requested ones, in one batch of one round trip.

    Works on every chain that has a node. Knows no prices and no spam.
    """

    name = "chain_rpc"

    def __init__(self, chains: ChainTable, tokens: TokenService) -> None:
        self._chains = chains
        self._tokens = tokens

    def balances(self, query: BalanceQuery) -> list[Holding]:
        """The native coin first, then requested tokens, then listed ones; zero balances too,
        but no listed token that the chain has no contract of. Raises RpcError, NodeError."""
        chain = self._chains.chain(query.chain_id)
        plan = _Plan.of(query, self._tokens)
        answers = self._chains.rpc(query.chain_id).batch(plan.requests, until=query.until)
        native = native_coin(chain.currency, quantity(answers[0]))
        return [native, *self._held(query, plan, answers)]

    def _held(self, query: BalanceQuery, plan: _Plan, answers: Sequence[Answer]) -> list[Holding]:
        holdings = []
        described = 1 + len(plan.addresses)
        for place, address in enumerate(plan.addresses, start=1):
            balance = _balance(answers[place])
            token = plan.known.get(address)
            if token is None:
                told = answers[described : described + REQUESTS_PER_TOKEN]
                token = self._tokens.learn(query.chain_id, address, told)
                described += REQUESTS_PER_TOKEN
            requested = address in query.tokens
            if balance is not None or requested:
                holdings.append(_holding(token, balance or 0, requested))
        return holdings


@dataclass(frozen=True, slots=True)
class _Plan:
    """The batch: the native balance, one balance per address, then the descriptions of those that
    are not `known`, in the order of `addresses`."""

    addresses: tuple[str, ...]
    known: dict[str, TokenMetadata]
    requests: list[RpcRequest]

    @classmethod
    def of(cls, query: BalanceQuery, tokens: TokenService) -> _Plan:
        listed = (token.address for token in TOKENS.get(query.chain_id, ()))
        addresses = tuple(dict.fromkeys((*query.tokens, *listed)))
        found = ((address, tokens.known(query.chain_id, address)) for address in addresses)
        known = {address: token for address, token in found if token is not None}
        requests: list[RpcRequest] = [("eth_getBalance", [query.address, LATEST])]
        requests += [eth_call(address, balance_of(query.address)) for address in addresses]
        for address in addresses:
            if address not in known:
                requests += metadata_requests(address)
        return cls(addresses, known, requests)


def native_coin(currency: str, raw: int) -> Holding:
    """The chain's own coin; `raw` in wei."""
    name = _NATIVE_NAMES.get(currency, currency)
    return Holding(currency, name, raw, _NATIVE_DECIMALS, NATIVE)


def _holding(token: TokenMetadata, raw: int, requested: bool) -> Holding:
    return Holding(
        symbol=token.symbol,
        name=token.name,
        raw=raw,
        decimals=token.decimals,
        address=Address(token.address),
        requested=requested,
    )


def _balance(answer: Answer) -> int | None:
    """None where no contract answers, or one that is no token."""
    if not isinstance(answer, RpcError):
        return read_uint(returned(answer))
    if answer.reverted:
        return None
    raise answer
