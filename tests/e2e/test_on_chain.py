"""Nodes on chain: deployed functions, a real chain, wallets that their owners gave grants for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra_cdk.local.contracts import load_artifact
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.e2e.chains import CHAIN, ETHER, SPONSORED, OnChain
from tests.e2e.engine import task_of

pytestmark = pytest.mark.deployed
PAYEE = "0x00000000000000000000000000000000000000AA"


@pytest.fixture
def owner(stage: LocalStage) -> OnChain:
    """An owner with a wallet that has money."""
    made = OnChain(stage)
    made.fund()
    return made


@pytest.fixture
def held_back(owner: OnChain) -> Iterator[OnChain]:
    """No block comes unless it is asked for."""
    owner.node.call("evm_setAutomine", False)
    yield owner
    owner.node.call("evm_setAutomine", True)
    owner.node.call("anvil_mine", "0x1")


def method(name: str, *params: Any, **more: Any) -> dict[str, Any]:
    return {"methodName": name, "methodParams": list(params), **more}


def run(owner: OnChain, nodes: list[Any], edges: list[tuple[str, str]], **more: Any) -> Any:
    """The finished execution of a task, and its steps by node."""
    task = owner.api.create_task(task_of(nodes, edges, **more))
    execution = owner.api.trigger(task["id"], blocking=False)
    done = owner.api.finished(task["id"], execution["executionId"], 120)
    return done, {step["id"]: step for step in done["steps"]}


def test_read_then_code_then_branch_then_write(owner: OnChain) -> None:
    # Given a grant for one method of one contract
    owner.grant(owner.action(owner.counter, "add(uint256)"))
    before = owner.call("count()")
    nodes = [
        owner.contract("read", "contractRead", method("count"), method("LIMIT")),
        {
            "id": "plan",
            "name": "plan",
            "type": "customCode",
            "config": {
                "lang": "javascript",
                "source": "const r = read.data; return {amount: 3, room: r.LIMIT - r.count}",
            },
        },
        {
            "id": "choice",
            "name": "choice",
            "type": "branch",
            "config": {
                "conditions": [
                    {"id": "fits", "type": "if", "expression": "plan.data.room >= 3"},
                    {"id": "full", "type": "else"},
                ]
            },
        },
        owner.contract("write", "contractWrite", method("add", "{{plan.data.amount}}")),
        {
            "id": "report",
            "name": "report",
            "type": "customCode",
            "config": {
                "lang": "javascript",
                "source": "return {hash: write.hash, ok: write.success}",
            },
        },
    ]
    edges = [
        ("t", "read"),
        ("read", "plan"),
        ("plan", "choice"),
        ("choice.fits", "write"),
        ("write", "report"),
    ]
    # When the task runs
    done, steps = run(owner, nodes, edges)
    # Then the chain has changed by that, and the steps say so
    assert done["status"] == "success", done
    assert steps["read"]["output"]["data"]["count"] == str(before)
    write = steps["write"]
    assert write["output"]["data"]["add"]["Counted"]["count"] == str(before + 3)
    assert write["executionContext"] == {
        "is_simulated": False,
        "provider": "bundler",
        "chain_id": CHAIN,
    }
    assert int(write["gasUsed"]) > 0
    assert int(write["totalGasCost"]) > 0
    receipt = write["metadata"][0]["receipt"]
    assert receipt["executionStatus"] == "confirmed"
    assert steps["report"]["output"]["data"] == {"hash": receipt["transactionHash"], "ok": True}
    assert (owner.call("count()"), owner.counted(), owner.operations()) == (before + 3, 3, 1)
    # And the operation can be looked up by its hash, by its owner
    found = owner.api.get(f"/userops/{receipt['userOpHash']}")
    assert found["executionStatus"] == "confirmed"
    assert found["transactionHash"] == receipt["transactionHash"]


def test_a_sponsored_wallet_with_nothing_pays_and_transfers_all(stage: LocalStage) -> None:
    # Given a wallet without gas on the chain where gas is paid for
    owner = OnChain(stage, SPONSORED)
    owner.fund(777)
    owner.grant(owner.action(PAYEE, "", value=ETHER), owner.action(owner.counter, "increment()"))
    before = owner.balance(PAYEE)
    pay = {
        "id": "pay",
        "name": "pay",
        "type": "ethTransfer",
        "config": {"destination": PAYEE, "amount": "MAX", "chainId": SPONSORED},
    }
    write = owner.contract("write", "contractWrite", method("increment"))
    # When it sends all that it has and writes
    done, steps = run(owner, [pay, write], [("t", "pay"), ("pay", "write")])
    # Then both happened
    assert done["status"] == "success", done
    assert steps["pay"]["output"]["data"]["transfer"]["value"] == "777"
    assert owner.balance(PAYEE) - before == 777
    assert (owner.balance(owner.wallet), owner.counted()) == (0, 1)


def test_a_loop_writes_for_each_item_in_order(owner: OnChain) -> None:
    owner.grant(owner.action(owner.counter, "add(uint256)"))
    items = {
        "id": "items",
        "name": "items",
        "type": "customCode",
        "config": {"lang": "javascript", "source": "return [1, 2, 3]"},
    }
    runner = owner.contract("x", "contractWrite", method("add", "{{value}}"))
    each = {
        "id": "each",
        "name": "each",
        "type": "loop",
        "config": {
            "inputVariable": "{{items.data}}",
            "runner": {"type": runner["type"], "config": runner["config"]},
        },
    }
    done, steps = run(owner, [items, each], [("t", "items"), ("items", "each")])
    assert done["status"] == "success", done
    counts = [int(item["add"]["Counted"]["count"]) for item in steps["each"]["output"]["data"]]
    assert (counts[1] - counts[0], counts[2] - counts[1]) == (2, 3)
    assert (owner.counted(), owner.operations()) == (6, 3)


def test_a_late_receipt_is_waited_for_without_a_function_that_sleeps(held_back: OnChain) -> None:
    # Given a chain that makes no blocks for now
    owner = held_back
    owner.grant(owner.action(owner.counter, "increment()"))
    write = owner.contract("write", "contractWrite", method("increment"))
    task = owner.api.create_task(task_of([write], [("t", "write")]))
    execution = owner.api.trigger(task["id"], blocking=False)
    wait_until(lambda: owner.node.call("txpool_status")["pending"] == "0x1", "a pending one", 30)
    # When the block comes at last
    owner.node.call("anvil_mine", "0x1")
    done = owner.api.finished(task["id"], execution["executionId"], 60)
    # Then the run goes on from it
    assert done["status"] == "success", done
    assert (owner.counted(), owner.operations()) == (1, 1)


def test_what_no_policy_covers_is_refused_in_words(owner: OnChain) -> None:
    owner.grant(owner.action(owner.counter, "increment()"))
    write = owner.contract("write", "contractWrite", method("add", 1))
    done, steps = run(owner, [write], [("t", "write")])
    assert done["status"] == "failed"
    assert steps["write"]["errorCode"] == "SESSION_POLICY_SELECTOR_NOT_ALLOWED"
    assert owner.operations() == 0


def test_an_address_without_a_contract_is_told_before_anything_is_sent(owner: OnChain) -> None:
    owner.grant(owner.action(PAYEE, "increment()"))
    write = owner.contract("write", "contractWrite", method("increment"), contractAddress=PAYEE)
    done, steps = run(owner, [write], [("t", "write")])
    assert done["status"] == "failed"
    assert (steps["write"]["errorCode"], owner.operations()) == ("INVALID_NODE_CONFIG", 0)
    assert "no contract code at" in steps["write"]["error"]


def test_a_chain_that_is_not_configured_is_refused_when_the_task_is_created(owner: OnChain) -> None:
    write = owner.contract("write", "contractWrite", method("increment"), chainId=5)
    answer = owner.api.request("POST", "/workflows", task_of([write], [("t", "write")]))
    assert answer.status == 400
    assert "nodes[0].config.chainId" in str(answer.body)


def test_a_revert_is_told_in_the_contracts_words(owner: OnChain) -> None:
    owner.grant(owner.action(owner.counter, "refuse()", "add(uint256)"))
    write = owner.contract("write", "contractWrite", method("add", 5000))
    done, steps = run(owner, [write], [("t", "write")])
    assert done["status"] == "failed"
    assert "TooMuch" in steps["write"]["error"]
    assert owner.operations() == 0


def test_a_withdrawal_is_sent_once_for_one_key(owner: OnChain) -> None:
    owner.grant(owner.action(PAYEE, "", value=ETHER))
    before = owner.balance(PAYEE)
    body = {"recipientAddress": PAYEE, "amount": "1000", "token": "ETH"}
    path = f"/wallets/{owner.wallet}:withdraw"
    key = {"Idempotency-Key": "one"}
    answers = [owner.api.request("POST", path, body, headers=key) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200], answers
    assert answers[0].body["userOpHash"] == answers[1].body["userOpHash"]
    assert answers[1].body["status"] == "confirmed"
    assert owner.balance(PAYEE) - before == 1000
    nonce = owner.api.get(f"/wallets/{owner.wallet}:getNonce")
    assert nonce == {"nonce": "0"}


def test_tokens_are_withdrawn_and_their_balance_is_read(owner: OnChain) -> None:
    owner.mint(5_000_000)
    owner.grant(owner.action(owner.token, "transfer(address,uint256)"))
    body = {"recipientAddress": PAYEE, "amount": "2000000", "token": owner.token}
    answer = owner.api.request("POST", f"/wallets/{owner.wallet}:withdraw", body)
    assert answer.status == 200, answer.body
    held = {
        "id": "held",
        "name": "held",
        "type": "balance",
        "config": {
            "address": "{{settings.runner}}",
            "chain": "sepolia",
            "tokenAddresses": [owner.token],
        },
    }
    done, steps = run(owner, [held], [("t", "held")])
    assert done["status"] == "success", done
    found = {row["symbol"]: row for row in steps["held"]["output"]["data"]}
    assert found["TUSD"]["balance"] == "3000000"
    assert found["TUSD"]["balanceFormatted"] == "3"
    assert found["ETH"]["tokenAddress"] == "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"


def test_a_simulation_sees_its_own_writes_and_leaves_none(owner: OnChain) -> None:
    before = owner.call("count()")
    nodes = [
        owner.contract("write", "contractWrite", method("add", 4)),
        owner.contract("read", "contractRead", method("count")),
    ]
    body = task_of(nodes, [("t", "write"), ("write", "read")])
    body["inputVariables"] = {"settings": {"runner": owner.wallet}}
    done = owner.api.post("/workflows:simulate", body)
    steps = {step["id"]: step for step in done["steps"]}
    assert done["status"] == "success", done
    assert steps["read"]["output"]["data"]["count"] == str(before + 4)
    assert steps["write"]["executionContext"]["provider"] == "tenderly"
    assert (owner.call("count()"), owner.operations()) == (before, 0)


def test_one_node_is_run_simulated_or_for_real(owner: OnChain) -> None:
    owner.grant(owner.action(owner.counter, "increment()"))
    node = owner.contract("write", "contractWrite", method("increment"))
    body = {"node": node, "inputVariables": {"settings": {"runner": owner.wallet}}}
    tried = owner.api.post("/nodes:run", body)
    assert tried["success"] is True, tried
    assert tried["executionContext"]["is_simulated"] is True
    assert owner.operations() == 0
    node["config"]["isSimulated"] = False
    key = {"Idempotency-Key": "real"}
    sent = [owner.api.request("POST", "/nodes:run", body, headers=key).body for _ in range(2)]
    assert sent[0]["success"] is True, sent
    assert sent[0]["metadata"] == sent[1]["metadata"]
    assert (owner.counted(), owner.operations()) == (1, 1)


def test_reads_of_a_token_are_formatted_exactly(owner: OnChain) -> None:
    owner.mint(1_234_567)
    read = owner.contract(
        "read",
        "contractRead",
        method("decimals", applyToFields=["balanceOf"]),
        method("balanceOf", owner.wallet),
        contractAddress=owner.token,
        contractAbi=load_artifact("TestToken")["abi"],
    )
    done, steps = run(owner, [read], [("t", "read")])
    assert done["status"] == "success", done
    assert steps["read"]["output"]["data"]["balanceOf"] == "1.234567"
