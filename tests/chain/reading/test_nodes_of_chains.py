"""Reading through the engine's own client: many calls, nodes that are down or behind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from task_engine.call_budget import CallBudget
from task_engine.evm.address import Address
from task_engine.evm.chains import Chains
from task_engine.evm.failures import RpcError
from task_engine.evm.words import call_data, word
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.contract_read import ContractReadProcessor
from task_engine.processors.loop import LoopProcessor
from task_engine.run.node_runner import run_processor

from infra_cdk.local.contracts import DevelopmentNode
from infra_cdk.local.settings import free_port
from tests.chain.reading.world import CHAIN_ID, CountedRpc, OneChain, abi_of, items_of


def read(address: str, *calls: JsonValue) -> dict[str, JsonValue]:
    return {
        "contractAddress": address,
        "contractAbi": [*abi_of("Counter")],
        "methodCalls": [*calls],
        "chainId": CHAIN_ID,
    }


def node_of(config: dict[str, JsonValue], kind: NodeType = NodeType.CONTRACT_READ) -> PlanNode:
    return PlanNode("r", "r", kind, config, 1)


def test_more_calls_than_a_batch_holds_are_split(reading_url: str, counter: Address) -> None:
    processor = ContractReadProcessor(Chains({CHAIN_ID: Chain(CHAIN_ID, (reading_url,))}))
    calls: list[JsonValue] = [
        {"methodName": "divide", "methodParams": [str(number), 1]} for number in range(250)
    ]
    outcome = processor.run(node_of(read(counter, *calls)), Scope({}))
    assert outcome.error is None
    assert [item["value"] for item in items_of(outcome.metadata)] == [str(n) for n in range(250)]


def test_a_node_that_is_down_fails_the_step_without_its_url(counter: Address) -> None:
    url = f"http://127.0.0.1:{free_port()}/v2/a-very-secret-key"
    chains = Chains({CHAIN_ID: Chain(CHAIN_ID, (url,))})
    processor = ContractReadProcessor(chains)
    scope = Scope({}, deadline=0.0)
    node = node_of(read(counter, {"methodName": "count"}))
    outcome = run_processor(lambda: processor.run(node, scope))
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retryable) == ("RPC_NODE_ERROR", True)
    assert "secret" not in outcome.error.message
    assert not outcome.has_data


def test_a_chain_without_a_url_is_told(counter: Address) -> None:
    processor = ContractReadProcessor(Chains({CHAIN_ID: Chain(CHAIN_ID)}))
    node = node_of(read(counter, {"methodName": "count"}))
    outcome = run_processor(lambda: processor.run(node, Scope({})))
    assert outcome.error is not None
    assert outcome.error.code == "RPC_NODE_ERROR"
    assert f"chain {CHAIN_ID} has no RPC URL" in outcome.error.message


class _BehindRpc(CountedRpc):
    """Tells of a block that the nodes behind it have not got yet, and of the one before it."""

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        answers = super().batch(calls, until=until)
        if calls[0][0] == "eth_blockNumber":
            return [hex(int(str(answers[0]), 16) + self.ahead)]
        return answers

    ahead = 1


@pytest.mark.parametrize(("ahead", "batches"), [(1, 3), (2, 4)])
def test_a_block_that_a_node_has_not_got_yet_is_read_before_it(
    reading_url: str, counter: Address, ahead: int, batches: int
) -> None:
    rpc = _BehindRpc(reading_url)
    rpc.ahead = ahead
    node = node_of(read(counter, {"methodName": "count"}, {"methodName": "LIMIT"}))
    outcome = ContractReadProcessor(OneChain(rpc)).run(node, Scope({}))
    assert outcome.data == {"count": "0", "LIMIT": "1000"}
    assert len(rpc.batches) == batches


def test_a_block_that_stays_unknown_is_an_error(reading_url: str, counter: Address) -> None:
    rpc = _BehindRpc(reading_url)
    rpc.ahead = 50
    node = node_of(read(counter, {"methodName": "count"}))
    outcome = ContractReadProcessor(OneChain(rpc)).run(node, Scope({}))
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retryable) == ("RPC_NODE_ERROR", True)


def test_a_loop_reads_for_every_item(
    chains: OneChain, counter: Address, node: DevelopmentNode
) -> None:
    node.send(counter, call_data("add(uint256)", word(10)))
    loop: dict[str, JsonValue] = {
        "inputVariable": "{{given.data}}",
        "runner": {
            "type": "contractRead",
            "config": read(counter, {"methodName": "divide", "methodParams": ["{{value}}", "2"]}),
        },
    }
    processor = LoopProcessor({NodeType.CONTRACT_READ: lambda: ContractReadProcessor(chains)})
    scope = Scope({"given": {"data": [4, 6, 8]}})
    outcome = processor.run(node_of(loop, NodeType.LOOP), scope)
    assert outcome.error is None
    assert outcome.data == [{"divide": "2"}, {"divide": "3"}, {"divide": "4"}]


def test_more_methods_than_may_be_asked_are_refused_before_anything_is(
    chains: OneChain, rpc: CountedRpc, counter: Address
) -> None:
    # Given a node of three methods where two may be asked
    calls: list[JsonValue] = [{"methodName": "count"}] * 3
    scope = Scope({}, calls=CallBudget(2))
    node = node_of(read(counter, *calls))
    outcome = run_processor(lambda: ContractReadProcessor(chains).run(node, scope))
    # Then nothing is asked
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retryable) == ("QUOTA_EXCEEDED", False)
    assert rpc.batches == []


def test_the_items_of_a_loop_share_what_may_be_asked(
    chains: OneChain, rpc: CountedRpc, counter: Address
) -> None:
    # Given a loop of three items with two methods each, where five may be asked
    config = read(counter, {"methodName": "count"}, {"methodName": "LIMIT"})
    loop: dict[str, JsonValue] = {
        "inputVariable": "{{given.data}}",
        "runner": {"type": "contractRead", "config": config},
    }
    processor = LoopProcessor({NodeType.CONTRACT_READ: lambda: ContractReadProcessor(chains)})
    scope = Scope({"given": {"data": [1, 2, 3]}}, calls=CallBudget(5))
    outcome = processor.run(node_of(loop, NodeType.LOOP), scope)
    # Then the last one is refused
    assert [told["ok"] for told in items_of(outcome.metadata)] == [True, True, False]
    assert items_of(outcome.metadata)[2]["errorCode"] == "QUOTA_EXCEEDED"
    assert [len(batch) for batch in rpc.batches] == [1, 2, 1, 2]
