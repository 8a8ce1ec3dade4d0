"""Two operators who must agree, one of whom lies: only what both say runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from task_engine.clock import SystemClock
from task_engine.evm.signer import LocalSigner
from task_engine.model.chain import Chain
from task_engine.model.trigger import TriggerType
from task_engine.operator.findings import Finding

from infra_cdk.local.waiting import wait_until
from task_engine_operator.api import EngineApi
from task_engine_operator.config import KeyConfig, OperatorConfig
from task_engine_operator.cursors import SqliteCursors
from task_engine_operator.process import OperatorProcess
from tests.operators.chain import TRANSFER, LogChain
from tests.operators.engine import CHAIN_ID, Engine
from tests.operators.program import PATIENCE_SECONDS, Program

HONEST, LIAR = "0x" + "7c" * 32, "0x" + "8d" * 32
HOLDER = "0x" + "12" * 20
TRUTHS, LIES = (1, 2, 3, 4), (100, 101, 102)


class LyingApi(EngineApi):
    """Tells the amounts of `LIES` wrong, invents a block for each finding, and says everything
    three times."""

    def send(self, findings: Sequence[Finding]) -> None:
        told: list[Finding] = []
        for finding in findings:
            told.append(_changed(finding))
            block = "0x" + finding.occurrence.block_hash[2:][::-1]
            told.append(replace(finding, occurrence=replace(finding.occurrence, block_hash=block)))
        super().send(told * 3)


def _changed(finding: Finding) -> Finding:
    if int(str(finding.output["value"])) not in LIES:
        return finding
    return replace(finding, output={**finding.output, "value": "1000000"})


@pytest.fixture
def quorum() -> int:
    return 2


@contextmanager
def lying_operator(engine: Engine, chain: LogChain, folder: Path) -> Iterator[str]:
    """It watches as any other does; its address."""
    signer, clock = LocalSigner(LIAR), SystemClock()
    url = f"{engine.url}/api/v1"
    chains = {CHAIN_ID: Chain(CHAIN_ID, rpc_urls=(chain.url,))}
    config = OperatorConfig(url, KeyConfig(), chains, pause_seconds=0.2)
    api, cursors = LyingApi(url, signer, clock), SqliteCursors(folder / "liar.db", "liar")
    process = OperatorProcess(config, api, cursors, clock, "9.9")
    thread = threading.Thread(target=process.run)
    thread.start()
    try:
        yield str(signer.address)
    finally:
        process.stop()
        thread.join(timeout=60)
        api.close()
        cursors.close()


def test_of_two_of_whom_one_lies_only_the_truth_runs(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given a task, an operator, and one that lies about some transfers and invents others
    query = {"addresses": [chain.tokens[0]], "topics": [TRANSFER, None, HOLDER]}
    task = engine.add_task(TriggerType.EVENT, {"queries": [query], "cooldownSeconds": 0})
    honest = Program(tmp_path / "honest", engine.url, {CHAIN_ID: chain.url}, HONEST)
    with honest, lying_operator(engine, chain, tmp_path) as liar:
        wait_until(lambda: len(engine.operators()) == 2, "both operators", PATIENCE_SECONDS, 0.1)
        # When transfers are mined
        for amount in (*TRUTHS, *LIES):
            chain.mine((chain.tokens[0], HOLDER, amount))
        honest.wait_for(chain.height(), CHAIN_ID)
        wait_until(lambda: _told(engine, liar) >= 3 * 2 * 7, "all lies", PATIENCE_SECONDS, 0.1)
        wait_until(engine.idle, "the notices", PATIENCE_SECONDS, 0.1)
    # Then those run that both told alike, each once, and nothing else
    ran = [row for row in engine.items("EXECUTIONS") if row["taskId"] == task.id]
    assert len(ran) == len(TRUTHS)
    hashes = {
        int(header["number"], 16): header["hash"]
        for header in chain.headers(chain.base + 1, chain.height()).values()
    }
    true_blocks = {hashes[chain.base + 1 + place] for place in range(len(TRUTHS))}
    names = [row["name"] for row in engine.items("GUARDS") if "executionId" in row]
    assert {name.split(":")[1] for name in names} == true_blocks
    # And anybody can see that the two contradicted each other
    disputed = {row["address"]: row["disputedCount"] for row in engine.operators()}
    assert disputed == {honest.address: len(LIES), liar: len(LIES)}


def _told(engine: Engine, address: str) -> int:
    counts: dict[str, int] = {row["address"]: row["eventCount"] for row in engine.operators()}
    return counts[address]
