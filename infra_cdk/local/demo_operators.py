"""The demo's part with the operator: a token transfer and blocks fire tasks by themselves."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from task_engine.evm.address import Address, keccak256

from infra_cdk.local.client import ApiClient
from infra_cdk.local.contracts import DevelopmentNode, install_token, mint
from infra_cdk.local.demo_chain import CHAIN_ID
from infra_cdk.local.demo_task import edges, node, trigger
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until

Json = Any
INTERVAL = 5
AMOUNT = 12_500_000
# A turn of the operator begins every minute, the emulator's sweep of ten seconds included.
TURN_SECONDS = 100.0
_RUN_SECONDS = 60.0
_TRANSFER = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()
_NOTE = "return { got: `${start.data.valueFormatted} ${start.data.tokenSymbol}` };"


@dataclass(frozen=True, slots=True)
class EventRun:
    """An execution that a transfer fired, and how long after the transfer it had ended."""

    execution: Json
    seconds: float


class OperatorDemo:
    """A task for a transfer and one for every fifth block.

    Both are created at once, and a turn of the operator is begun ahead of its minute, which in the
    emulator takes up to 70 seconds to come for the first time.
    """

    def __init__(self, stage: LocalStage, client: ApiClient) -> None:
        self.client = client
        self.url = stage.record.chains[CHAIN_ID]
        self.node = DevelopmentNode(self.url)
        self.wallet = Address(client.wallet)
        self.token = install_token(self.url, "Watched dollar", "WUSD", 6)
        self.first = self._height() + 1
        self.event_task = client.create_task(_event_task(self.token, self.wallet))["id"]
        self.block_task = client.create_task(_block_task())["id"]
        begin_turn(stage, CHAIN_ID)

    def wait_for_blocks(self) -> list[Json]:
        """Mine to the next multiple of the interval, and wait until its block has fired; the
        executions of the block task."""
        self.node.call("anvil_mine", hex(INTERVAL - self._height() % INTERVAL))
        last = self._height()

        def fired() -> list[Json] | None:
            found = self._executions(self.block_task) or []
            return found if last in map(block_of, found) else None

        return wait_until(fired, f"block {last} to fire", TURN_SECONDS, 0.25)

    def due(self) -> set[int]:
        """The multiples of the interval since the block task was created."""
        return {n for n in range(self.first, self._height() + 1) if n % INTERVAL == 0}

    def transfer(self) -> EventRun:
        """Send the wallet some of the token, and wait for what comes of it."""
        begun = time.monotonic()
        mint(self.url, self.token, self.wallet, AMOUNT)
        found = wait_until(
            lambda: self._executions(self.event_task), "the transfer to fire", _RUN_SECONDS, 0.1
        )
        return EventRun(found[0], time.monotonic() - begun)

    def _executions(self, task_id: str) -> list[Json] | None:
        """All, with their steps, once they have ended; None before and while there are none."""
        listed = self.client.get(f"/workflows/{task_id}/executions", limit=50)["data"]
        if any(row["status"] in ("pending", "running") for row in listed):
            return None
        return [self.client.execution(task_id, row["id"]) for row in listed] or None

    def _height(self) -> int:
        return int(self.node.call("eth_blockNumber"), 16)


def begin_turn(stage: LocalStage, chain_id: int) -> None:
    """Have the stage's operator watch a chain from now on, as the rule does every minute."""
    names = {name: value for stack in stage.outputs.values() for name, value in stack.items()}
    stage.aws.client("lambda").invoke(
        FunctionName=names["FunctionOperator"],
        InvocationType="Event",
        Payload=json.dumps({"chainId": chain_id}).encode(),
    )


def block_of(execution: Json) -> int:
    """The number of the block that fired it."""
    [step] = [step for step in execution["steps"] if step.get("name") == "note"]
    return int(step["output"]["data"]["block"])


def noted(execution: Json) -> Json:
    """What the task's code made of what fired it."""
    [step] = [step for step in execution["steps"] if step.get("name") == "note"]
    return step["output"]["data"]


def _event_task(token: str, wallet: Address) -> Json:
    query = {"addresses": [token], "topics": [_TRANSFER, None, wallet]}
    config = {"chainId": CHAIN_ID, "queries": [query], "cooldownSeconds": 0}
    return _task("tokens came in", trigger("event", config), _NOTE)


def _block_task() -> Json:
    config = {"chainId": CHAIN_ID, "interval": INTERVAL}
    source = "return { block: start.data.blockNumber };"
    return _task("every fifth block", trigger("block", config), source)


def _task(name: str, fires: Json, source: str) -> Json:
    return {
        "name": name,
        "trigger": fires,
        "nodes": [node("note", "customCode", {"lang": "javascript", "source": source})],
        "edges": edges(("start", "note")),
        "maxExecution": 50,
    }
