"""The operator's program with a real chain: orderly ends, crashes, metrics, refusals."""

from __future__ import annotations

import json
from pathlib import Path

from task_engine.aws.kms_keys import KmsKeys
from task_engine.aws.wire import AwsClient
from task_engine.evm.signer import KmsSigner
from task_engine.model.trigger import TriggerType

from infra_cdk.local.settings import REGION
from infra_cdk.local.waiting import wait_until
from tests.operators.chain import TRANSFER, LogChain
from tests.operators.engine import CHAIN_ID, Engine
from tests.operators.program import PATIENCE_SECONDS, KmsKey, Program

KEY = "0x" + "5a" * 32
HOLDER = "0x" + "12" * 20
LABEL = f'{{chain="{CHAIN_ID}"}}'


def program(folder: Path, engine: Engine, chain: LogChain) -> Program:
    return Program(folder / "operator", engine.url, {CHAIN_ID: chain.url}, KEY)


def block_task(engine: Engine, interval: int = 2) -> str:
    return engine.add_task(TriggerType.BLOCK, {"interval": interval}).id


def event_task(engine: Engine, chain: LogChain) -> str:
    query = {
        "addresses": [chain.tokens[0]],
        "topics": [TRANSFER, None, "0x" + HOLDER[2:].rjust(64, "0")],
    }
    config = {"queries": [query], "cooldownSeconds": 0}
    return engine.add_task(TriggerType.EVENT, config).id


def fired(engine: Engine, task_id: str) -> int:
    return len([row for row in engine.items("EXECUTIONS") if row["taskId"] == task_id])


def runs(engine: Engine, task_id: str, count: int) -> None:
    wait_until(
        lambda: fired(engine, task_id) >= count, f"{count} runs of {task_id}", PATIENCE_SECONDS, 0.1
    )


def test_it_registers_watches_and_ends_in_order(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given an event task and a running operator
    task_id = event_task(engine, chain)
    with program(tmp_path, engine, chain) as operator:
        wait_until(
            lambda: operator.figure("checks", LABEL) == 1, "the check", PATIENCE_SECONDS, 0.1
        )
        # When a transfer is mined
        chain.mine((chain.tokens[0], HOLDER, 5), (chain.tokens[1], HOLDER, 6))
        # Then the task runs once
        runs(engine, task_id, 1)
        # And the operator's figures and health tell of it
        operator.wait_for(chain.height(), CHAIN_ID)
        labels = f'{{chain="{CHAIN_ID}",kind="event"}}'
        assert operator.figure("notices_total", labels) == 1
        assert operator.health() == (200, {"ok": True, "problems": []})
        # When it is told to end
        status = operator.end()
    # Then it does so well, and the engine knows how far it came
    assert status == 0
    [row] = engine.operators()
    assert row["address"] == operator.address
    assert row["blocks"] == {str(CHAIN_ID): chain.height()}
    assert fired(engine, task_id) == 1


def test_what_happens_while_it_is_away_is_told_afterwards(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given an operator that has caught up and is killed
    task_id = block_task(engine)
    with program(tmp_path, engine, chain) as operator:
        chain.mine()
        chain.mine()
        operator.wait_for(chain.height(), CHAIN_ID)
        runs(engine, task_id, 1)
        operator.kill()
        # When six blocks are mined meanwhile, and it is started again
        for _ in range(6):
            chain.mine()
        operator.start()
        # Then every second block of them has fired, each once
        runs(engine, task_id, 4)
        operator.wait_for(chain.height(), CHAIN_ID)
        wait_until(engine.idle, "the notices", PATIENCE_SECONDS, 0.1)
        assert fired(engine, task_id) == 4


def test_it_signs_with_a_key_that_never_leaves_kms(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given a key of KMS, and a task for every block
    made = engine.aws.client("kms").create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")
    key_id = made["KeyMetadata"]["KeyId"]
    address = KmsSigner(KmsKeys(AwsClient("kms", REGION)), key_id).address
    variables = {
        "AWS_ENDPOINT_URL": engine.aws.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    key = KmsKey(address, key_id, variables)
    task_id = block_task(engine, 1)
    with Program(tmp_path / "operator", engine.url, {CHAIN_ID: chain.url}, key) as operator:
        wait_until(
            lambda: operator.figure("checks", LABEL) == 1, "the check", PATIENCE_SECONDS, 0.1
        )
        # When ten blocks are mined
        for _ in range(10):
            chain.mine()
        # Then what it has signed is believed: each runs the task
        runs(engine, task_id, 10)
        assert operator.end() == 0
    [row] = engine.operators()
    assert row["address"] == address
    assert row["eventCount"] >= 10
    assert row["rejectedCount"] == 0


def test_a_contracts_state_fires_when_it_is_as_it_was_wanted(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given a task for a balance of more than 5, asked for every fifth block
    kinds = {"inputs": [{"name": "who", "type": "address"}], "outputs": [{"type": "uint256"}]}
    balance = {"type": "function", "name": "balanceOf", "stateMutability": "view", **kinds}
    query = {
        "addresses": [chain.tokens[0]],
        "methodCalls": [{"methodName": "balanceOf", "methodParams": [HOLDER]}],
        "contractAbi": [balance],
        "conditions": [{"fieldName": "balanceOf", "operator": "gt", "value": "5"}],
    }
    config = {"queries": [query], "cooldownSeconds": 0}
    task_id = engine.add_task(TriggerType.EVENT, config).id
    with program(tmp_path, engine, chain) as operator:
        # When five blocks come while it is less, and five after it has become more
        for amount in (3, 3):
            for _ in range(5):
                chain.mine()
                operator.wait_for(chain.height(), CHAIN_ID)
            chain.mine((chain.tokens[0], HOLDER, amount))
        enough = chain.height()
        for _ in range(5):
            chain.mine()
        operator.wait_for(chain.height(), CHAIN_ID)
        wait_until(engine.idle, "the notices", PATIENCE_SECONDS, 0.1)
    # Then it has run at a fifth block with enough, and at no other
    due = {
        header["hash"]
        for number, header in chain.headers(enough, chain.height()).items()
        if number % 5 == 0
    }
    ran = {row["name"].rpartition(":")[2] for row in engine.items("GUARDS") if "executionId" in row}
    assert ran
    assert ran <= due
    assert fired(engine, task_id) == len(ran)


def test_a_paused_task_is_left_alone_soon(engine: Engine, chain: LogChain, tmp_path: Path) -> None:
    # Given two tasks that are watched
    kept = block_task(engine, 1)
    gone = engine.add_task(TriggerType.BLOCK, {"interval": 1})
    with program(tmp_path, engine, chain) as operator:
        wait_until(
            lambda: operator.figure("checks", LABEL) == 2, "the checks", PATIENCE_SECONDS, 0.1
        )
        # When one is deleted
        engine.tasks.delete(gone.owner, gone.id, gone.created_at + 1)
        # Then the operator hears of it, and goes on with the other
        wait_until(
            lambda: operator.figure("checks", LABEL) == 1, "the change", PATIENCE_SECONDS, 0.1
        )
        chain.mine()
        runs(engine, kept, 1)


def test_without_tasks_no_node_is_asked(engine: Engine, tmp_path: Path) -> None:
    # Given an operator whose node does not exist
    nowhere = Program(tmp_path / "operator", engine.url, {CHAIN_ID: "http://127.0.0.1:9"}, KEY)
    with nowhere as operator:
        # When it has made some passes
        wait_until(
            lambda: (operator.figure("passes_total", LABEL) or 0) > 3,
            "passes",
            PATIENCE_SECONDS,
            0.1,
        )
        # Then nothing has failed
        assert operator.figure("pass_failures_total", LABEL) == 0


def test_commands_without_watching(engine: Engine, chain: LogChain, tmp_path: Path) -> None:
    task_id = event_task(engine, chain)
    operator = program(tmp_path, engine, chain)
    registered = operator.call("register", "--json")
    assert registered.returncode == 0, registered.stderr
    assert json.loads(registered.stdout)["address"] == operator.address
    listed = operator.call("checks", "--json")
    assert [check["id"] for check in json.loads(listed.stdout)] == [task_id]
    assert task_id in operator.call("checks").stdout


def test_an_engine_that_is_not_there_is_told(chain: LogChain, tmp_path: Path) -> None:
    operator = Program(tmp_path, "http://127.0.0.1:9", {CHAIN_ID: chain.url}, KEY)
    answer = operator.call("register")
    assert answer.returncode == 4
    assert "can't be reached" in answer.stderr


def test_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    operator = Program(tmp_path, "nowhere", {0: "x", 5: "ws://secret.example"}, "11" * 32)
    answer = operator.call("run")
    assert answer.returncode == 2
    assert "url must be" in answer.stderr
    assert "chains.0" in answer.stderr
    assert "chains.5.rpc_urls" in answer.stderr
    assert "secret" not in answer.stderr
