"""contractWrite nodes through a session wallet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.call_budget import CallBudget
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.senders.failures import OperationRefused
from task_engine.model.grant import Permission, SpendCap
from task_engine.model.operation import OperationStatus

from infra_cdk.local.contracts import load_artifact
from tests.chain.reading.world import install_code
from tests.chain.rig import Rig
from tests.chain.writing.world import SELECTORS, WriteWorld, call, counter_grant

NOBODY = Address("0x00000000000000000000000000000000000000bb")
SILENT = Address("0x00000000000000000000000000000000000000bc")
TERSE = Address("0x00000000000000000000000000000000000000bd")


def test_a_write_deploys_the_wallet_and_tells_events_and_receipt(world: WriteWorld) -> None:
    # Given a grant for the method, and a wallet that is not deployed
    counter_grant(world, "add(uint256)")
    # When the node runs
    outcome = world.write(methodCalls=[call("add", "{{amount}}")], scope=world.scope(amount=5))
    # Then the event is its data, the receipt its metadata
    assert outcome.error is None
    assert outcome.wait_seconds == 0
    assert outcome.data == {"add": {"Counted": {"by": world.wallet.address, "count": "5"}}}
    assert isinstance(outcome.metadata, list)
    (told,) = outcome.metadata
    assert (told["methodName"], told["success"], told["value"]) == ("add", True, None)
    receipt = told["receipt"]
    assert receipt["executionStatus"] == "confirmed"
    assert (receipt["from"], receipt["to"]) == (world.wallet.address, world.rig.counter)
    assert (receipt["status"], receipt["userOpHash"][:2]) == ("0x1", "0x")
    assert len(receipt["logs"]) == 1
    assert world.counted() == 5
    assert outcome.chain is not None
    assert (outcome.chain.provider, outcome.chain.simulated) == ("bundler", False)
    assert outcome.chain.gas_used > 100_000
    assert outcome.chain.gas_cost > outcome.chain.gas_used


def test_running_again_finds_what_was_sent_and_sends_nothing(world: WriteWorld) -> None:
    counter_grant(world, "increment()")
    first = world.write(methodCalls=[call("increment")])
    again = world.write(methodCalls=[call("increment")])
    assert again == first
    assert (world.counted(), world.events()) == (1, 1)
    # Another execution is another operation
    world.write(methodCalls=[call("increment")], scope=world.scope(execution="e2"))
    assert (world.counted(), world.events()) == (2, 2)


def test_several_methods_go_one_after_the_other(world: WriteWorld) -> None:
    counter_grant(world, "increment()", "add(uint256)")
    outcome = world.write(methodCalls=[call("increment"), call("add", 2), call("increment")])
    assert outcome.error is None
    assert isinstance(outcome.data, dict)
    assert outcome.data["increment"] == {"Counted": {"by": world.wallet.address, "count": "4"}}
    assert outcome.data["add"] == {"Counted": {"by": world.wallet.address, "count": "3"}}
    assert world.events() == 3


def test_an_atomic_node_is_one_operation_with_one_receipt(world: WriteWorld) -> None:
    counter_grant(world, "increment()", "add(uint256)")
    calls = [call("increment"), call("add", "2")]
    outcome = world.write(methodCalls=calls, atomic=True)
    assert outcome.error is None
    assert isinstance(outcome.metadata, list)
    hashes = {told["receipt"]["transactionHash"] for told in outcome.metadata}
    assert len(hashes) == 1
    # Each call has the event that it made itself
    assert outcome.data == {
        "increment": {"Counted": {"by": world.wallet.address, "count": "1"}},
        "add": {"Counted": {"by": world.wallet.address, "count": "3"}},
    }
    assert world.events() == 1


def test_an_atomic_node_does_all_or_nothing(world: WriteWorld) -> None:
    counter_grant(world, "increment()", "add(uint256)")
    calls = [call("increment"), call("add", "5000")]
    outcome = world.write(methodCalls=calls, atomic=True)
    assert outcome.error is not None
    assert "TooMuch(have: 5001, limit: 1000)" in outcome.error.message
    assert isinstance(outcome.metadata, list)
    assert [told["success"] for told in outcome.metadata] == [False, False]
    assert (world.counted(), world.events()) == (0, 0)


def test_a_call_that_would_revert_is_told_in_the_contracts_words_and_not_sent(
    world: WriteWorld,
) -> None:
    counter_grant(world, "add(uint256)", "increment()")
    outcome = world.write(methodCalls=[call("add", 1001), call("increment")])
    assert outcome.error is not None
    assert "TooMuch(have: 1001, limit: 1000)" in outcome.error.message
    assert isinstance(outcome.metadata, list)
    assert [told["success"] for told in outcome.metadata] == [False, False]
    assert "not sent" in outcome.metadata[1]["error"]
    assert world.events() == 0


def test_what_reverts_only_on_chain_fails_with_its_reason(world: WriteWorld) -> None:
    # Given an operation that is fine when it is prepared and too much when it is mined
    counter_grant(world, "add(uint256)")
    world.rig.node.call("evm_setAutomine", False)
    try:
        outcome = world.write(methodCalls=[call("add", 600)])
        assert outcome.wait_seconds > 0
        assert isinstance(outcome.metadata, list)
        assert outcome.metadata[0]["receipt"]["executionStatus"] == "pending"
        first = world.rig.node.call("eth_accounts")[0]
        price = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**12)}
        data = "0x1003e2d2" + f"{700:064x}"
        sent = {"from": first, "to": world.rig.counter, "data": data, **price}
        world.rig.node.call("eth_sendTransaction", sent)
    finally:
        world.rig.node.call("anvil_mine", "0x1")
        world.rig.node.call("evm_setAutomine", True)
    # When the node is run again
    outcome = world.write(methodCalls=[call("add", 600)])
    # Then it failed, on chain
    assert outcome.error is not None
    assert "TooMuch(have: 1300, limit: 1000)" in outcome.error.message
    assert isinstance(outcome.metadata, list)
    assert outcome.metadata[0]["receipt"]["executionStatus"] == "failed"
    (operation,) = world.operations.rows.values()
    assert operation.status is OperationStatus.FAILED
    assert world.events() == 1


@pytest.mark.parametrize(
    ("permissions", "code"),
    [
        ([], "SESSION_POLICY_TARGET_NOT_ALLOWED"),
        ([("counter", "0xd09de08a", 0)], "SESSION_POLICY_SELECTOR_NOT_ALLOWED"),
        ([("counter", "0xd0e30db0", 5)], "SESSION_POLICY_VALUE_NOT_ALLOWED"),
    ],
)
def test_what_the_grant_does_not_cover_is_refused_before_sending(
    world: WriteWorld, permissions: list[tuple[str, str, int]], code: str
) -> None:
    world.give(*(Permission(world.rig.counter, s, value) for _, s, value in permissions))
    outcome = world.write(methodCalls=[call("deposit")], value="6")
    assert outcome.error is not None
    assert outcome.error.code == code
    assert world.operations.rows == {}


def test_without_a_grant_nothing_is_sent(world: WriteWorld) -> None:
    outcome = world.write(methodCalls=[call("increment")])
    assert outcome.error is not None
    assert outcome.error.code == "SESSION_POLICY_REQUIRED"
    assert "sign it and submit it" in outcome.error.message


def test_another_owners_wallet_is_refused(world: WriteWorld) -> None:
    counter_grant(world, "increment()")
    scope = world.scope(aa_sender=world.rig.counter)
    with pytest.raises(Exception, match="no such wallet"):
        world.write(methodCalls=[call("increment")], scope=scope)


def test_value_goes_along_with_the_last_call(world: WriteWorld, rig: Rig) -> None:
    counter_grant(world, "deposit()", "increment()", value=10)
    outcome = world.write(methodCalls=[call("increment"), call("deposit")], value="0x7")
    assert outcome.error is None
    assert rig.balance(rig.counter) == 7


def test_a_spending_cap_holds_over_all_operations(world: WriteWorld, rig: Rig) -> None:
    # Given a cap of 10 units
    transfer = Permission(rig.token, "0xa9059cbb", 0)
    world.give(transfer, cap=SpendCap(rig.token, 10))
    rig.mint(Address(world.wallet.address), 100)
    config = {
        "contractAddress": rig.token,
        "contractAbi": load_artifact("TestToken")["abi"],
        "methodCalls": [call("transfer", world.owner.address, "6")],
    }
    # When it is spent twice
    first = world.write(**config)
    second = world.write(**config, scope=world.scope(execution="e2"))
    # Then the second time is refused by the wallet
    assert first.error is None
    assert second.error is not None
    assert "refuses" in second.error.message or "AA2" in second.error.message


def test_nobody_pays_for_gas_of_an_empty_wallet(world: WriteWorld, rig: Rig) -> None:
    counter_grant(world, "increment()")
    rig.fund(Address(world.wallet.address), 0)
    outcome = world.write(methodCalls=[call("increment")])
    assert outcome.error is not None
    assert outcome.error.code == "INSUFFICIENT_BALANCE"
    assert "fund it" in outcome.error.message


def test_a_sponsored_wallet_needs_nothing(rig: Rig) -> None:
    world = WriteWorld(rig, sponsored=True)
    counter_grant(world, "increment()")
    outcome = world.write(methodCalls=[call("increment")])
    assert outcome.error is None
    assert world.counted() == 1
    assert rig.balance(Address(world.wallet.address)) == 0


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"methodCalls": [call("nothing")]}, "nothing"),
        ({"methodCalls": [call("add")]}, "add"),
        ({"methodCalls": [call("add", "many")]}, "add"),
        ({"methodCalls": [call("add", str(2**256))]}, "add"),
        ({"methodCalls": [call("increment")], "value": "x"}, "value"),
        ({"methodCalls": [call("increment")], "value": "1"}, "not payable"),
        ({"methodCalls": [call("increment")], "gasLimit": "-1"}, "gasLimit"),
        ({"methodCalls": [call("increment", contractAddress="0x12")]}, "contractAddress"),
        ({"methodCalls": [call("add", "{{missing.data}}")]}, "missing"),
        ({"methodCalls": [call("increment", callData="0x1003e2d2")]}, "callData"),
        ({"methodCalls": [call("increment")], "contractAbi": []}, "contractAbi"),
        ({"methodCalls": [call("increment")], "contractAddress": "0x1"}, "contractAddress"),
        ({"methodCalls": [call("increment")], "chainId": 5}, "chain 5"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    world: WriteWorld, config: dict[str, object], text: str
) -> None:
    counter_grant(world, "increment()", "add(uint256)")
    try:
        outcome = world.write(**config)
    except NodeError as error:
        message = error.message
    else:
        assert outcome.error is not None
        message = outcome.error.message
    assert text in message
    assert world.operations.rows == {}


@pytest.mark.parametrize("simulated", [False, True], ids=["real", "simulated"])
def test_an_address_without_a_contract_is_told_before_anything_is_sent(
    world: WriteWorld, simulated: bool
) -> None:
    world.give(Permission(NOBODY, SELECTORS["increment()"], 0))
    scope = world.scope(simulated=simulated)
    outcome = world.write(methodCalls=[call("increment")], contractAddress=NOBODY, scope=scope)
    assert outcome.error is not None
    assert outcome.error.code == "INVALID_NODE_CONFIG"
    where = f"at {NOBODY} on chain {world.rig.chain_id}"
    assert outcome.error.message == f"method increment: no contract code {where}"
    assert outcome.data == {}
    assert (world.operations.rows, world.events()) == ({}, 0)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_later_method_without_a_contract_keeps_the_first_from_being_sent(
    world: WriteWorld, atomic: bool
) -> None:
    # Given a grant for both places
    both = (Address(world.rig.counter), NOBODY)
    world.give(*(Permission(at, selector, 0) for at in both for selector in SELECTORS.values()))
    # When only the second method has no contract
    calls = [call("increment"), call("add", 2, contractAddress=NOBODY)]
    outcome = world.write(methodCalls=calls, atomic=atomic)
    # Then the error names it, and nothing was sent
    assert outcome.error is not None
    assert outcome.error.message.startswith(f"method add: no contract code at {NOBODY}")
    assert (world.operations.rows, world.events()) == ({}, 0)


def test_a_simulated_contract_that_answers_nothing_has_no_such_method(world: WriteWorld) -> None:
    # Given a contract that stops, and one that logs and stops
    install_code(world.rig.node, SILENT, "0x00")
    install_code(world.rig.node, TERSE, "0x60006000a000")
    scope = world.scope(simulated=True)
    calls = [call("increment")]
    silent = world.write(methodCalls=calls, contractAddress=SILENT, scope=scope)
    terse = world.write(methodCalls=calls, contractAddress=TERSE, scope=scope)
    # Then the first has not got the method, and the second may be a token of the terse kind
    assert silent.error is not None
    assert silent.error.code == "INVALID_NODE_CONFIG"
    assert "method increment: the contract answered with empty data" in silent.error.message
    assert (terse.error, terse.data) == (None, {"increment": True})


def test_a_run_without_a_wallet_is_told_so(world: WriteWorld) -> None:
    with pytest.raises(NodeError, match=r"settings\.runner is required"):
        world.write(methodCalls=[call("increment")], scope=world.scope(aa_sender=""))


def test_a_simulated_write_changes_nothing_and_is_seen_by_the_next(world: WriteWorld) -> None:
    scope = world.scope(simulated=True)
    first = world.write(methodCalls=[call("add", 2)], scope=scope)
    second = world.write(methodCalls=[call("increment")], scope=scope, node="n2")
    assert first.error is None
    assert second.data == {"increment": {"Counted": {"by": world.wallet.address, "count": "3"}}}
    assert first.chain is not None
    assert (first.chain.provider, first.chain.simulated) == ("tenderly", True)
    assert isinstance(first.metadata, list)
    assert first.metadata[0]["value"] == "2"
    assert first.metadata[0]["receipt"]["simulated"] is True
    assert (world.counted(), world.events(), world.operations.rows) == (0, 0, {})


def test_a_simulated_revert_has_its_reason(world: WriteWorld) -> None:
    outcome = world.write(methodCalls=[call("add", 2000)], scope=world.scope(simulated=True))
    assert outcome.error is not None
    assert "TooMuch(have: 2000, limit: 1000)" in outcome.error.message


def test_one_node_of_a_real_run_may_be_simulated(world: WriteWorld) -> None:
    outcome = world.write(methodCalls=[call("increment")], isSimulated=True)
    assert outcome.chain is not None
    assert outcome.chain.simulated is True
    assert world.counted() == 0


def test_refused_operations_say_which_of_entry_points_rules_it_was(world: WriteWorld) -> None:
    # Given a grant that the owner has revoked on chain
    grant = counter_grant(world, "increment()")
    provider = world.factories.provider(world.rig.chain_id, world.wallet.factory)
    world.write(methodCalls=[call("increment")])
    revoke = provider.revoke_call(grant)
    world.rig.send_as(world.owner, revoke.to, revoke.data)
    # When the engine goes on using it
    outcome = world.write(methodCalls=[call("increment")], scope=world.scope(execution="e2"))
    # Then the wallet refuses, and nothing is sent
    assert outcome.error is not None
    assert outcome.error.code == OperationRefused.code
    assert world.events() == 1


@pytest.mark.parametrize("simulated", [False, True])
def test_more_methods_than_may_be_called_are_refused_before_one_is_sent(
    world: WriteWorld, simulated: bool
) -> None:
    counter_grant(world, "increment()")
    scope = replace(world.scope(simulated=simulated), calls=CallBudget(1))
    with pytest.raises(NodeError, match="too many") as refused:
        world.write(methodCalls=[call("increment"), call("increment")], scope=scope)
    assert refused.value.stable_code == "QUOTA_EXCEEDED"
    assert (world.operations.rows, world.events()) == ({}, 0)
