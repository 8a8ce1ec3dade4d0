"""Balances from an indexer, a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.evm.balances import NATIVE
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.balance import BalanceProcessor
from task_engine.processors.balance_indexer import IndexerBalances
from task_engine.processors.base import Scope

from infra_cdk.local.servers.loopback import Handler, LoopbackServer

HOLDER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
USDC = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
JUNK = "0x00000000000000000000000000000000000000F4"
DUST = "0x00000000000000000000000000000000000000F5"


class _Answers(Handler["Indexer"]):
    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        self.owner.asked.append(self.split())
        self.answer_json(self.owner.answer_body, self.owner.status)


class Indexer(LoopbackServer):
    """Answers what it is told to."""

    handler = _Answers

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answer_body: JsonValue = {"balances": []}
        self.status = 200


@pytest.fixture
def indexer() -> Iterator[Indexer]:
    with Indexer() as running:
        yield running


@pytest.fixture
def processor(indexer: Indexer) -> BalanceProcessor:
    http = SafeHttp(EgressPolicy(["127.0.0.1"]), Limits())
    url = f"{indexer.url}/v1/?apikey=k"
    return BalanceProcessor(IndexerBalances(http, url, {8453: "ETH"}))


def holdings(**config: JsonValue) -> PlanNode:
    given: dict[str, JsonValue] = {"address": HOLDER, "chain": "base", **config}
    return PlanNode("b", "b", NodeType.BALANCE, given, 1)


def told(address: str, balance: JsonValue, **more: JsonValue) -> dict[str, JsonValue]:
    return {"tokenAddress": address, "balance": balance, "decimals": 6, "symbol": "X", **more}


def symbols(data: JsonValue) -> list[JsonValue]:
    return [item.get("symbol") for item in data if isinstance(item, dict)]  # type: ignore[union-attr]


def test_the_indexer_is_asked_for_address_chain_and_tokens(
    indexer: Indexer, processor: BalanceProcessor
) -> None:
    processor.run(holdings(tokenAddresses=[USDC.lower(), JUNK]), Scope({}))
    query = {"apikey": "k", "chainId": "8453", "address": HOLDER, "tokens": f"{USDC},{JUNK}"}
    assert indexer.asked == [("/v1/balances", query)]


def test_worth_is_shown_where_it_is_known(indexer: Indexer, processor: BalanceProcessor) -> None:
    coin = told(NATIVE.lower(), "2500000000000000000", decimals=18, symbol="ETH", name="Ether")
    usdc = told(USDC, 1_500_000, symbol="USDC", name="USD Coin", usdPrice=0.5, usdValue="0.75")
    indexer.answer_body = {"balances": [usdc, coin]}
    outcome = processor.run(holdings(), Scope({}))
    assert outcome.data == [
        {
            "symbol": "ETH",
            "name": "Ether",
            "balance": "2500000000000000000",
            "balanceFormatted": "2.5",
            "decimals": 18,
            "tokenAddress": NATIVE,
        },
        {
            "symbol": "USDC",
            "name": "USD Coin",
            "balance": "1500000",
            "balanceFormatted": "1.5",
            "decimals": 6,
            "tokenAddress": USDC,
            "usdPrice": 0.5,
            "usdValue": 0.75,
        },
    ]


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({}, ["ETH", "USDC"]),
        ({"includeSpam": True}, ["ETH", "USDC", "JUNK"]),
        ({"includeZeroBalances": True}, ["ETH", "USDC", "DUST"]),
        ({"minUsdValue": 1}, ["ETH"]),
        ({"minUsdValueCents": 75}, ["ETH", "USDC"]),
        ({"minUsdValueCents": 76}, ["ETH"]),
        ({"minUsdValue": 1, "tokenAddresses": [USDC]}, ["ETH", "USDC"]),
        ({"tokenAddresses": [JUNK, DUST]}, ["ETH", "JUNK", "DUST", "USDC"]),
    ],
)
def test_spam_dust_and_zeros_are_left_out_unless_asked_for(
    indexer: Indexer,
    processor: BalanceProcessor,
    config: dict[str, JsonValue],
    shown: list[str],
) -> None:
    indexer.answer_body = {
        "balances": [
            told(USDC, "1500000", symbol="USDC", usdValue=0.75),
            told(JUNK, "9", symbol="JUNK", spam=True),
            told(DUST, "0", symbol="DUST"),
        ]
    }
    assert symbols(processor.run(holdings(**config), Scope({})).data) == shown


def test_requested_tokens_that_it_does_not_tell_of_are_zero(processor: BalanceProcessor) -> None:
    outcome = processor.run(holdings(tokenAddresses=[USDC, JUNK]), Scope({}))
    assert symbols(outcome.data) == ["ETH", "USDC", "UNKNOWN"]


@pytest.mark.parametrize(
    ("body", "status", "says", "retryable"),
    [
        ({}, 200, "did not answer with balances", False),
        ([], 200, "did not answer with balances", False),
        ({"balances": [told("0x1", "1")]}, 200, "can't be read", False),
        ({"balances": [told(USDC, "1.5")]}, 200, "can't be read", False),
        ({"balances": [told(USDC, 1.5)]}, 200, "can't be read", False),
        ({"balances": [told(USDC, "1", usdValue="much")]}, 200, "can't be read", False),
        ({}, 503, "answered with status 503", True),
        ({}, 401, "answered with status 401", False),
    ],
)
def test_an_indexer_that_does_not_answer_as_it_should(
    indexer: Indexer,
    processor: BalanceProcessor,
    body: JsonValue,
    status: int,
    says: str,
    retryable: bool,
) -> None:
    indexer.answer_body, indexer.status = body, status
    with pytest.raises(NodeError, match=says) as failure:
        processor.run(holdings(), Scope({}))
    assert failure.value.stable_code == "RPC_NODE_ERROR"
    assert failure.value.may_retry is retryable
    assert "127.0.0.1" not in failure.value.message
