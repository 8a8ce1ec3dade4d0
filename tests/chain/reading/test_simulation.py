"""Simulation on a development chain, with each of the three ways that nodes offer."""

from __future__ import annotations

import pytest
from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.reverts import revert_reason
from task_engine.evm.address import Address, keccak256
from task_engine.evm.create2 import create2_address
from task_engine.evm.eth_call import eth_call
from task_engine.evm.failures import RpcError
from task_engine.evm.simulated import Erc20Override, SimulatedCall
from task_engine.evm.simulation import ChainSimulator
from task_engine.evm.words import address_word, call_data, word
from task_engine.model.json_value import JsonValue

from infra_cdk.local.contracts import DevelopmentNode
from tests.chain.reading.world import CHAIN_ID, CountedRpc, OneChain, abi_of, install_code

ALICE = Address("0x000000000000000000000000000000000000a11C")
BOB = Address("0x0000000000000000000000000000000000000b0b")
NOBODY = Address("0x00000000000000000000000000000000000000f8")
# Deploys what follows a salt of 32 bytes: https://github.com/Arachnid/deterministic-deployment-proxy
DEPLOYER = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
_V1, _TRACE = "eth_simulateV1", "debug_traceCall"
# A minimal proxy (EIP-1167) is this, the address behind it, and the rest.
_PROXY_HEAD, _PROXY_TAIL = "0x363d3d373d3d3d363d73", "5af43d82803e903d91602b57fd5bf3"


@pytest.fixture(params=["replay", "trace"])
def simulator(request: pytest.FixtureRequest, rpc: CountedRpc, reading_url: str) -> ChainSimulator:
    """The two ways that keep state."""
    missing = [] if request.param == "replay" else [_V1]
    return ChainSimulator(OneChain(CountedRpc(reading_url, missing)))


@pytest.fixture
def plain(reading_url: str) -> ChainSimulator:
    """A node that has neither of them."""
    return ChainSimulator(OneChain(CountedRpc(reading_url, [_V1, _TRACE])))


def call(to: str, signature: str, *words: bytes, sender: str = ALICE) -> SimulatedCall:
    return SimulatedCall(sender, to, 0, call_data(signature, *words))


def count_of(simulator: ChainSimulator, run: str, counter: Address) -> int:
    rpc = simulator.view(run).rpc(CHAIN_ID)
    [answer] = rpc.batch([eth_call(counter, call_data("count()"))])
    return int(str(answer), 16)


def test_later_steps_see_what_earlier_ones_did_and_the_chain_does_not(
    simulator: ChainSimulator, counter: Address
) -> None:
    # When one run adds twice and another once
    first = simulator.simulate("a", CHAIN_ID, call(counter, "add(uint256)", word(5)))
    second = simulator.simulate("a", CHAIN_ID, call(counter, "add(uint256)", word(7)))
    other = simulator.simulate("b", CHAIN_ID, call(counter, "increment()"))
    # Then each sees its own state
    values = [int.from_bytes(result.return_data) for result in (first, second, other)]
    assert values == [5, 12, 1]
    assert count_of(simulator, "a", counter) == 12
    assert count_of(simulator, "b", counter) == 1
    # And nothing happened on the chain, nor for a run that is over
    simulator.forget("a")
    assert count_of(simulator, "a", counter) == 0


def test_a_result_has_logs_gas_and_the_real_block(
    simulator: ChainSimulator, counter: Address, node: DevelopmentNode
) -> None:
    result = simulator.simulate("r", CHAIN_ID, call(counter, "add(uint256)", word(5)))
    assert result.success
    assert not result.partial
    [log] = result.logs
    assert isinstance(log, dict)
    assert str(log["address"]).lower() == counter.lower()
    topics = log["topics"]
    assert isinstance(topics, list)
    assert topics[1] == "0x" + address_word(ALICE).hex()
    assert int(str(log["data"]), 16) == 5
    assert 21_000 < result.gas_used < 120_000
    assert result.block_number == int(node.call("eth_blockNumber"), 16)
    assert result.gas_price > 0


def test_a_call_that_reverts_tells_why_and_changes_nothing(
    simulator: ChainSimulator, counter: Address
) -> None:
    abi = ContractAbi.parse([*abi_of("Counter")])
    simulator.simulate("r", CHAIN_ID, call(counter, "add(uint256)", word(5)))
    result = simulator.simulate("r", CHAIN_ID, call(counter, "add(uint256)", word(996)))
    assert not result.success
    assert revert_reason(result.error_data, abi) == "TooMuch(have: 1001, limit: 1000)"
    assert result.logs == ()
    assert count_of(simulator, "r", counter) == 5


def test_an_approval_is_there_for_the_next_step(simulator: ChainSimulator, token: Address) -> None:
    amount = (address_word(ALICE), word(100))
    assert simulator.simulate("r", CHAIN_ID, call(token, "mint(address,uint256)", *amount)).success
    approve = call(token, "approve(address,uint256)", address_word(BOB), word(60))
    assert simulator.simulate("r", CHAIN_ID, approve).success
    words = (address_word(ALICE), address_word(BOB), word(60))
    take = call(token, "transferFrom(address,address,uint256)", *words, sender=BOB)
    assert simulator.simulate("r", CHAIN_ID, take).success
    assert not simulator.simulate("r", CHAIN_ID, take).success


def test_storage_that_became_zero_stays_zero(
    simulator: ChainSimulator, token: Address, node: DevelopmentNode
) -> None:
    # Given that Bob really holds something
    node.send(token, call_data("mint(address,uint256)", address_word(BOB), word(3)))
    held = _held(simulator, "nothing yet", token, BOB)
    # When all of it is given away
    all_of_it = (address_word(ALICE), word(held))
    give = call(token, "transfer(address,uint256)", *all_of_it, sender=BOB)
    assert simulator.simulate("r", CHAIN_ID, give).success
    # Then it is gone
    assert _held(simulator, "r", token, BOB) == 0
    assert not simulator.simulate("r", CHAIN_ID, give).success


@pytest.mark.parametrize("missing", [(), (_V1,), (_V1, _TRACE)], ids=["replay", "trace", "plain"])
def test_a_call_of_an_address_without_code_fails_and_changes_nothing(
    reading_url: str, missing: tuple[str, ...], node: DevelopmentNode
) -> None:
    # Given somebody rich and an address without code
    rpc = CountedRpc(reading_url, missing)
    simulator = ChainSimulator(OneChain(rpc))
    rich = node.call("eth_accounts")[0]
    assert simulator.simulate("r", CHAIN_ID, SimulatedCall(rich, BOB, 1)).success
    asked = len(rpc.batches)
    # When a method of it is called with money
    paid = SimulatedCall(rich, NOBODY, 5, call_data("increment()"))
    result = simulator.simulate("r", CHAIN_ID, paid)
    # Then it fails for that reason, in one round trip, and no money moved
    assert (result.success, result.absent) == (False, True)
    assert result.reason == f"no contract code at {NOBODY} on chain {CHAIN_ID}"
    assert len(rpc.batches) == asked + 1
    holds = SimulatedCall(NOBODY, BOB, 1)
    assert simulator.simulate("r", CHAIN_ID, holds).lent
    # And money alone may be sent there
    assert simulator.simulate("r", CHAIN_ID, SimulatedCall(rich, NOBODY, 5)).success


def test_a_contract_that_the_run_has_made_is_there_for_the_next_step(
    simulator: ChainSimulator,
) -> None:
    # Given a run that deploys a contract of one STOP, which neither answers nor logs
    init, salt = bytes.fromhex("60016000f3"), word(7)
    made = create2_address(DEPLOYER, salt, keccak256(init))
    assert simulator.simulate("r", CHAIN_ID, SimulatedCall(ALICE, DEPLOYER, 0, salt + init)).success
    # When it and another run call it
    touch = SimulatedCall(ALICE, Address(made), 0, call_data("touch()"))
    assert simulator.simulate("r", CHAIN_ID, touch).success
    assert simulator.simulate("another", CHAIN_ID, touch).absent


def test_a_sender_without_money_is_lent_the_value(
    simulator: ChainSimulator, counter: Address
) -> None:
    poor = "0x" + "0a" * 20
    paid = SimulatedCall(poor, counter, 5 * 10**18, call_data("deposit()"))
    result = simulator.simulate("r", CHAIN_ID, paid)
    assert result.success
    assert result.lent
    assert int.from_bytes(result.return_data) == 5 * 10**18


def test_a_sender_with_money_is_lent_nothing(
    simulator: ChainSimulator, counter: Address, node: DevelopmentNode
) -> None:
    rich = node.call("eth_accounts")[0]
    result = simulator.simulate("r", CHAIN_ID, SimulatedCall(rich, counter, 1))
    assert (result.success, result.lent) == (True, False)


def test_balances_and_allowances_are_placed_by_discovery(
    simulator: ChainSimulator, token: Address
) -> None:
    given = Erc20Override(token, ALICE, BOB, balance=500, allowance=400)
    words = (address_word(ALICE), address_word(BOB), word(400))
    take = call(token, "transferFrom(address,address,uint256)", *words, sender=BOB)
    assert simulator.simulate("r", CHAIN_ID, take, [given]).success
    assert _held(simulator, "r", token, ALICE) == 100


def test_discovery_goes_through_proxies(
    simulator: ChainSimulator, token: Address, node: DevelopmentNode
) -> None:
    # Given a minimal proxy (EIP-1167), whose storage is its own
    place = Address("0x00000000000000000000000000000000000000f6")
    proxy = install_code(node, place, _PROXY_HEAD + token[2:] + _PROXY_TAIL)
    given = Erc20Override(proxy, ALICE, balance=7)
    give = call(proxy, "transfer(address,uint256)", address_word(BOB), word(7))
    assert simulator.simulate("r", CHAIN_ID, give, [given]).success


def test_slots_that_are_named_are_used(simulator: ChainSimulator, token: Address) -> None:
    # TestToken: name 0, symbol 1, totalSupply 2, balanceOf 3, allowance 4
    given = Erc20Override(
        token, ALICE, BOB, balance=9, allowance=8, balance_slot=3, allowance_slot=4
    )
    words = (address_word(ALICE), address_word(BOB), word(8))
    take = call(token, "transferFrom(address,address,uint256)", *words, sender=BOB)
    assert simulator.simulate("r", CHAIN_ID, take, [given]).success


def test_a_token_whose_storage_can_not_be_found_is_an_error(
    simulator: ChainSimulator, counter: Address
) -> None:
    given = Erc20Override(counter, ALICE, balance=9)
    with pytest.raises((NodeError, RpcError)):
        simulator.simulate("r", CHAIN_ID, call(counter, "increment()"), [given])


def test_a_run_without_a_key_keeps_nothing(simulator: ChainSimulator, counter: Address) -> None:
    for _ in range(2):
        result = simulator.simulate("", CHAIN_ID, call(counter, "increment()"))
        assert int.from_bytes(result.return_data) == 1


def test_all_steps_of_a_run_see_the_same_block(
    simulator: ChainSimulator, counter: Address, node: DevelopmentNode
) -> None:
    first = simulator.simulate("r", CHAIN_ID, call(counter, "increment()"))
    node.send(counter, call_data("add(uint256)", word(100)))
    second = simulator.simulate("r", CHAIN_ID, call(counter, "increment()"))
    assert int.from_bytes(second.return_data) == 2
    assert second.block_number == first.block_number


def test_how_a_node_simulates_is_found_out_once(reading_url: str, counter: Address) -> None:
    rpc = CountedRpc(reading_url)
    simulator = ChainSimulator(OneChain(rpc))
    for run in ("a", "b", "c"):
        simulator.simulate(run, CHAIN_ID, call(counter, "increment()"))
    probes = [batch for batch in rpc.batches if len(batch) == 3]
    assert probes == [[_V1, _TRACE, "eth_chainId"]]
    # A step is the block's number and price once, and one request.
    assert len(rpc.batches) == 1 + 3 * 2


def test_a_node_with_neither_tells_what_it_can(plain: ChainSimulator, counter: Address) -> None:
    result = plain.simulate("r", CHAIN_ID, call(counter, "add(uint256)", word(5)))
    assert (result.success, result.partial, result.logs) == (True, True, ())
    assert int.from_bytes(result.return_data) == 5
    assert result.gas_used > 21_000
    refused = plain.simulate("r", CHAIN_ID, call(counter, "refuseWithText()"))
    assert (refused.success, refused.partial) == (False, True)
    assert revert_reason(refused.error_data) == "not today"


def test_a_node_with_neither_lends_too(plain: ChainSimulator, counter: Address) -> None:
    poor = "0x" + "0b" * 20
    paid = SimulatedCall(poor, counter, 5 * 10**18, call_data("deposit()"))
    result = plain.simulate("r", CHAIN_ID, paid)
    assert (result.success, result.lent) == (True, True)


def test_reads_of_a_run_fail_as_the_chains_do(simulator: ChainSimulator, counter: Address) -> None:
    simulator.simulate("r", CHAIN_ID, call(counter, "increment()"))
    rpc = simulator.view("r").rpc(CHAIN_ID)
    requests: list[tuple[str, list[JsonValue]]] = [
        ("eth_blockNumber", []),
        eth_call(counter, call_data("refuseWithText()"), sender=ALICE),
        ("eth_chainId", []),
        eth_call(counter, call_data("sender()"), sender=ALICE),
    ]
    block, refused, chain, sender = rpc.batch(requests)
    assert isinstance(refused, RpcError)
    assert refused.reverted
    assert revert_reason(refused.data) == "not today"
    assert (block, chain) == (rpc.call("eth_blockNumber"), hex(CHAIN_ID))
    assert sender == "0x" + address_word(ALICE).hex()


def _held(simulator: ChainSimulator, run: str, token: Address, holder: Address) -> int:
    rpc = simulator.view(run).rpc(CHAIN_ID)
    [answer] = rpc.batch([eth_call(token, call_data("balanceOf(address)", address_word(holder)))])
    return int(str(answer), 16)
