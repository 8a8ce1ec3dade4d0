"""balance nodes against a development chain, and against an indexer."""

from __future__ import annotations

import json

import pytest
from task_engine.call_budget import CallBudget
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.balances import NATIVE, RpcBalances
from task_engine.evm.token_list import TOKENS
from task_engine.evm.tokens import TokenService
from task_engine.evm.words import address_word, call_data, word
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.balance import BalanceProcessor
from task_engine.processors.base import Scope

from infra_cdk.local.contracts import DevelopmentNode
from tests.chain.reading.world import CHAIN_ID, CountedRpc, OneChain, items_of

HOLDER = Address("0x71C7656EC7ab88b098defB751B7401B5f6d8976F")
NOBODY = Address("0x00000000000000000000000000000000000000f1")
NOT_A_TOKEN = Address("0x00000000000000000000000000000000000000F4")
LISTED = len(TOKENS[CHAIN_ID])


def holdings(address: str = HOLDER, **config: JsonValue) -> PlanNode:
    given: dict[str, JsonValue] = {"address": address, "chain": "base-sepolia", **config}
    return PlanNode("b", "b", NodeType.BALANCE, given, 1)


@pytest.fixture
def processor(chains: OneChain) -> BalanceProcessor:
    return BalanceProcessor(RpcBalances(chains, TokenService(chains)))


@pytest.fixture
def rich(node: DevelopmentNode, token: Address) -> Address:
    """Holds 1.5 of the coin and 2.25 of the token."""
    node.call("anvil_setBalance", HOLDER, hex(15 * 10**17))
    node.send(token, call_data("mint(address,uint256)", address_word(HOLDER), word(2_250_000)))
    return HOLDER


def test_coin_and_requested_token_in_one_batch(
    processor: BalanceProcessor, rpc: CountedRpc, rich: Address, token: Address
) -> None:
    outcome = processor.run(holdings(tokenAddresses=[token.lower()]), Scope({}))
    assert outcome.error is None
    coin, held = items_of(outcome.data)
    assert coin == {
        "symbol": "ETH",
        "name": "Ether",
        "balance": "1500000000000000000",
        "balanceFormatted": "1.5",
        "decimals": 18,
        "tokenAddress": NATIVE,
    }
    assert held == {
        "symbol": "TUSD",
        "name": "Test Dollar",
        "balance": "2250000",
        "balanceFormatted": "2.25",
        "decimals": 6,
        "tokenAddress": token,
    }
    # One balance of the coin, one per requested and listed token, three texts of the unlisted one.
    assert rpc.batches == [["eth_getBalance", *["eth_call"] * (1 + LISTED + 3)]]


def test_what_is_known_is_not_asked_again(
    processor: BalanceProcessor, rpc: CountedRpc, token: Address
) -> None:
    for _ in range(2):
        processor.run(holdings(tokenAddresses=[token]), Scope({}))
    assert rpc.batches[1] == ["eth_getBalance", *["eth_call"] * (1 + LISTED)]


def test_the_coin_and_requested_tokens_are_shown_though_zero(
    processor: BalanceProcessor, token: Address
) -> None:
    node = holdings(NOBODY, tokenAddresses=[token, NOT_A_TOKEN])
    outcome = processor.run(node, Scope({}))
    shown = [(i["symbol"], i["balance"], i["decimals"]) for i in items_of(outcome.data)]
    assert shown == [("ETH", "0", 18), ("TUSD", "0", 6), ("UNKNOWN", "0", 18)]


def test_listed_tokens_without_a_contract_are_not_shown(processor: BalanceProcessor) -> None:
    outcome = processor.run(holdings(NOBODY, includeZeroBalances=True), Scope({}))
    assert [item["symbol"] for item in outcome.data] == ["ETH"]  # type: ignore[union-attr, index, call-overload]


def test_templates_and_objects_name_tokens(processor: BalanceProcessor, token: Address) -> None:
    given: list[JsonValue] = [
        "{{pick}}",
        {"id": token.lower()},
        json.dumps({"address": NOT_A_TOKEN}),
        NATIVE.lower(),
        "not an address",
        {"name": "no address"},
    ]
    scope = Scope({"pick": {"id": token}, "who": NOBODY, "net": 84532})
    outcome = processor.run(holdings("{{who}}", chain="{{net}}", tokenAddresses=given), scope)
    shown = [item["tokenAddress"] for item in items_of(outcome.data)]
    assert shown == [NATIVE, token, NOT_A_TOKEN]


@pytest.mark.parametrize("chain", ["base-sepolia", "Base-Sepolia", "84532", 84532, "0x14a34"])
def test_chains_are_spelled_in_many_ways(processor: BalanceProcessor, chain: JsonValue) -> None:
    outcome = processor.run(holdings(NOBODY, chain=chain), Scope({}))
    assert outcome.error is None


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"address": ""}, "MISSING_REQUIRED_FIELD", "address is required"),
        ({"address": "0x12"}, "INVALID_ADDRESS", "address is not an address"),
        ({"chain": None}, "MISSING_REQUIRED_FIELD", "chain is required"),
        ({"chain": "moon"}, "INVALID_NODE_CONFIG", "chain must be a chain"),
        ({"chain": "sepolia"}, "INVALID_NODE_CONFIG", "chain 11155111 is not configured"),
        ({"minUsdValue": -1}, "INVALID_NODE_CONFIG", "minUsdValue must be"),
        ({"minUsdValueCents": "NaN"}, "INVALID_NODE_CONFIG", "minUsdValueCents must be"),
        ({"includeSpam": "yes"}, "INVALID_NODE_CONFIG", "includeSpam must be"),
        ({"tokenAddresses": "0x"}, "INVALID_NODE_CONFIG", "tokenAddresses must be a list"),
        ({"address": "{{x.data}}"}, "INVALID_REQUEST", "x.data"),
    ],
)
def test_a_configuration_that_can_not_work_is_refused(
    processor: BalanceProcessor,
    rpc: CountedRpc,
    change: dict[str, JsonValue],
    code: str,
    says: str,
) -> None:
    with pytest.raises(NodeError, match=says) as failure:
        processor.run(holdings(**change), Scope({}))  # type: ignore[arg-type]
    assert failure.value.stable_code == code
    assert rpc.batches == []


def test_a_minimal_worth_leaves_unknown_prices_alone(
    processor: BalanceProcessor, rich: Address, token: Address
) -> None:
    node = holdings(tokenAddresses=[token], minUsdValue=1000, minUsdValueCents=5)
    outcome = processor.run(node, Scope({}, limits=Limits()))
    assert [item["symbol"] for item in outcome.data] == ["ETH", "TUSD"]  # type: ignore[union-attr, index, call-overload]


def test_more_tokens_than_may_be_asked_are_refused_before_anything_is(
    processor: BalanceProcessor, rpc: CountedRpc, token: Address
) -> None:
    with pytest.raises(NodeError, match="too many") as failure:
        processor.run(holdings(tokenAddresses=[token]), Scope({}, calls=CallBudget(1)))
    assert failure.value.stable_code == "QUOTA_EXCEEDED"
    assert rpc.batches == []
