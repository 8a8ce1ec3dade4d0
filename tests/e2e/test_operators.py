"""The deployed operator with real chains: what happens there fires tasks, once, within seconds."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.evm.address import Address

from infra_cdk.local.contracts import mint
from infra_cdk.local.demo_operators import begin_turn
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.e2e.chains import CHAIN, OnChain, selector
from tests.e2e.engine import one_node
from tests.operators.chain import TRANSFER

pytestmark = pytest.mark.deployed
INTERVAL = 5
# A turn that was cut off keeps its chain for about a minute.
SECONDS = 180.0


@pytest.fixture
def owner(stage: LocalStage) -> OnChain:
    """An owner on a chain that is watched."""
    return OnChain(stage)


def received(owner: OnChain, holder: str = "", **config: Any) -> Any:
    """A task for transfers of the test token to somebody."""
    query = {"addresses": [owner.token], "topics": [TRANSFER, None, holder or owner.wallet]}
    settings = {"chainId": CHAIN, "cooldownSeconds": 0, "queries": [query], **config}
    trigger = {"type": "event", "config": settings}
    return owner.api.create_task(one_node("return start.data", trigger, maxExecution=50))


def watched(owner: OnChain) -> None:
    """Have the operator look now, and not at its next minute."""
    begin_turn(owner.stage, CHAIN)


def executions(owner: OnChain, task_id: str) -> list[Any]:
    """Of a task, oldest first, with their steps."""
    listed = owner.api.get(f"/workflows/{task_id}/executions", limit=100)["data"]
    return [owner.api.execution(task_id, row["id"]) for row in reversed(listed)]


def ended(owner: OnChain, task_id: str, count: int) -> list[Any]:
    """That many executions of a task, ended."""

    def there() -> list[Any] | None:
        found = executions(owner, task_id)
        done = [row for row in found if row["status"] in ("success", "failed", "error")]
        return found if len(done) >= count else None

    return wait_until(there, f"{count} executions of {task_id}", SECONDS, 0.2)


def output(execution: Any) -> Any:
    """What fired it, as its node saw it."""
    [step] = [step for step in execution["steps"] if step["id"] == "run"]
    return step["output"]["data"]


def test_a_transfer_fires_with_what_it_was(owner: OnChain) -> None:
    # Given a task for transfers to the wallet
    task = received(owner)
    watched(owner)
    # When somebody sends it 1.5 of a token
    owner.mint(1_500_000)
    # Then it runs once, and knows token, parties and amount
    [execution] = ended(owner, task["id"], 1)
    seen = output(execution)
    assert execution["status"] == "success"
    assert (seen["tokenSymbol"], seen["valueFormatted"], seen["value"]) == (
        "TUSD",
        "1.5",
        "1500000",
    )
    assert seen["toAddress"].lower() == owner.wallet.lower()
    assert seen["chainId"] == CHAIN
    assert executions(owner, task["id"]) == [execution]


def test_blocks_fire_at_every_multiple_and_no_other(owner: OnChain) -> None:
    # Given a task for every fifth block
    first = int(owner.node.call("eth_blockNumber"), 16) + 1
    config = {"chainId": CHAIN, "interval": INTERVAL}
    trigger = {"type": "block", "config": config}
    task = owner.api.create_task(one_node("return start.data", trigger, maxExecution=50))
    watched(owner)
    # When 23 blocks are mined
    owner.node.call("anvil_mine", hex(23))
    last = int(owner.node.call("eth_blockNumber"), 16)
    due = {number for number in range(first, last + 1) if number % INTERVAL == 0}
    # Then each multiple among them has fired, with its own hash, and none twice
    found = [output(row) for row in ended(owner, task["id"], len(due))]
    numbers = [block["blockNumber"] for block in found]
    assert due <= set(numbers)
    assert len(set(numbers)) == len(numbers)
    assert not [number for number in numbers if number % INTERVAL]
    for block in found:
        header = owner.node.call("eth_getBlockByNumber", hex(block["blockNumber"]), False)
        assert block["blockHash"] == header["hash"]


def test_conditions_are_read_by_the_operator(owner: OnChain) -> None:
    # Given a task for transfers of more than 2, and one for all
    value = {"fieldName": "Transfer.value", "operator": "gt", "value": "2000000"}
    inputs = [("from", "address", True), ("to", "address", True), ("value", "uint256", False)]
    abi = {
        "type": "event",
        "name": "Transfer",
        "inputs": [{"name": n, "type": t, "indexed": i} for n, t, i in inputs],
    }
    query = {
        "addresses": [owner.token],
        "topics": [TRANSFER, None, owner.wallet],
        "conditions": [value],
        "contractAbi": [abi],
    }
    some, every = received(owner, queries=[query]), received(owner)
    watched(owner)
    # When one and three come in
    owner.mint(1_000_000)
    owner.mint(3_000_000)
    # Then the first task has run for the three alone
    ended(owner, every["id"], 2)
    assert [output(row)["value"] for row in ended(owner, some["id"], 1)] == ["3000000"]


def test_pausing_resuming_and_deleting_reach_the_operator(owner: OnChain) -> None:
    # Given two tasks for the same transfers, one of which is a witness
    task, witness = received(owner), received(owner)
    watched(owner)
    owner.mint(1)
    ended(owner, task["id"], 1)
    ended(owner, witness["id"], 1)
    # When it is paused, then resumed, and a transfer follows each
    owner.api.post(f"/workflows/{task['id']}:pause")
    owner.mint(2)
    ended(owner, witness["id"], 2)
    assert len(executions(owner, task["id"])) == 1
    owner.api.post(f"/workflows/{task['id']}:resume")
    _until_watched_again(owner, task["id"])
    # Then it runs again. And when it is deleted, nothing fires it any more
    assert owner.api.request("DELETE", f"/workflows/{task['id']}").status == 204
    before = len(executions(owner, witness["id"]))
    owner.mint(4)
    ended(owner, witness["id"], before + 1)


def _until_watched_again(owner: OnChain, task_id: str) -> None:
    """Transfers of 3 until one of them fires."""

    def fired() -> bool:
        owner.mint(3)
        return len(executions(owner, task_id)) > 1

    wait_until(fired, "the resumed task", SECONDS, 1.0)
    wait_until(
        lambda: all(row["status"] == "success" for row in executions(owner, task_id)),
        "its executions",
        SECONDS,
        0.2,
    )


def test_what_a_reorg_takes_away_is_marked_and_what_it_brings_fires(owner: OnChain) -> None:
    # Given a transfer that has fired
    task = received(owner)
    watched(owner)
    owner.mint(7)
    [first] = ended(owner, task["id"], 1)
    # When the chain leaves its block, and the new one has another transfer, then two more blocks
    owner.node.call("anvil_rollback", 1)
    owner.mint(8)
    owner.node.call("anvil_mine", "0x2")
    # Then the new one fires, and the first execution is marked
    ended(owner, task["id"], 2)
    found = wait_until(
        lambda: next(
            (row for row in [executions(owner, task["id"])] if row[0].get("orphaned")), None
        ),
        "the mark",
        SECONDS,
        0.2,
    )
    assert [output(row)["value"] for row in found] == ["7", "8"]
    assert found[0]["id"] == first["id"]
    assert "orphaned" not in found[1]


def test_anybody_can_see_who_watches(owner: OnChain) -> None:
    # Given an operator that had a reason to look
    received(owner)
    watched(owner)

    def own() -> Any:
        rows = owner.api.get("/operators")["data"]
        return next((row for row in rows if row.get("version") == "embedded"), None)

    # Then it is listed, as one that watches events and blocks
    row = wait_until(own, "the operator", SECONDS, 0.2)
    assert CHAIN in row["supportedChainIds"]
    assert row["capabilities"]["eventMonitoring"]
    assert row["capabilities"]["blockMonitoring"]


def test_transfers_to_anybody_can_be_watched(owner: OnChain) -> None:
    # Given a task for transfers to somebody else
    somebody = "0x00000000000000000000000000000000000ca11e"
    task = received(owner, somebody)
    watched(owner)
    # When the node's account sends it some of the token
    mint(owner.url, owner.token, Address(owner.node.call("eth_accounts")[0]), 50)
    data = selector("transfer(address,uint256)") + f"{somebody[2:]:>064}{5:064x}"
    owner.node.send(owner.token, bytes.fromhex(data[2:]))
    # Then
    [execution] = ended(owner, task["id"], 1)
    assert output(execution)["value"] == "5"
