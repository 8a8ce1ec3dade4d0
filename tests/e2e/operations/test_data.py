"""Back-up and restore of a whole stage, and what hangs on its keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.stage import LocalStage
from infra_cdk.ops.backup import empty
from infra_cdk.ops.deployment import Deployment as Deployed
from infra_cdk.ops.engine import Engine
from tests.cases.case import code
from tests.e2e.engine import Deployment, count_of, one_node, task_of
from tests.e2e.operations.conftest import Ops
from tests.e2e.test_await import CHAIN, EDGES, signal, started, waiting

pytestmark = pytest.mark.deployed

HOURLY = {"type": "cron", "config": {"schedules": ["0 * * * *"], "timezone": "UTC"}}
LARGE = "x" * 300_000
NOISE = "return Array.from({length: 90000}, (_, i) => (i * 2654435761 % 4294967296).toString(36))"


def test_a_stage_comes_back_from_its_backup(
    api: ApiClient, stage: LocalStage, ops: Ops, tmp_path: Path
) -> None:
    # Given an owner with a secret, a scheduled task, a run with a large output, and one that waits
    deployment, folder = Deployment(stage), tmp_path / "backup"
    api.put_secret("KEPT", "only a run may know")
    reads = code("read", "return apContext.configVars.KEPT.length")
    task = api.create_task(task_of([code("many", NOISE), reads], [("t", "many"), ("many", "read")]))
    hourly = api.create_task(one_node(trigger=HOURLY))["id"]
    first = api.trigger(task["id"], blocking=True)["executionId"]
    before = api.execution(task["id"], first)
    assert before["status"] == "success", before.get("error")
    waits = started(api, CHAIN, EDGES)
    waiting(api, waits)
    # When all is exported, lost, and imported
    exported = ops("export", str(folder))
    assert exported.code == 0, exported.err
    [counts] = exported.rows
    assert counts["blobs"] >= 1, "the large output"
    assert ops("export", str(folder)).code == 2, "a back-up is never written over"
    removed = empty(Engine(Deployed.find("local")))
    assert removed >= sum(counts[name] for name in ("tasks", "executions", "steps", "secrets"))
    assert api.request("GET", f"/workflows/{task['id']}").status == 404
    assert deployment.schedules(hourly) == []
    # An operator does not wait for the import
    watching = {"group": {"S": "operators"}, "sk": {"S": "0x" + "0e" * 20}}
    table = deployment.output("TableOperators")
    stage.aws.client("dynamodb").put_item(TableName=table, Item=watching)
    imported = ops("import", str(folder), "--open", "walk")
    assert imported.code == 0, imported.err
    assert imported.rows[0]["walked"] >= 1
    # Then everything is as it was
    assert api.execution(task["id"], first) == before
    assert len(deployment.schedules(hourly)) == 1
    # And works: a run reads the secret and has the next index, what waited is decided
    again = api.trigger(task["id"], blocking=True)["executionId"]
    shown = api.execution(task["id"], again)
    assert (shown["index"], shown["status"]) == (1, "success")
    waiting(api, waits)
    assert signal(api, waits, "approve", {"amount": 5}) == 200
    assert api.finished(*waits)["status"] == "success"
    assert count_of(api, waits[0]) == 1
    # And nothing is imported over it by mistake
    refused = ops("import", str(folder))
    assert refused.code == 2
    assert "--replace" in refused.err


def test_runs_that_were_open_are_ended_by_a_restore(
    api: ApiClient, ops: Ops, tmp_path: Path
) -> None:
    waits = started(api, CHAIN, EDGES)
    waiting(api, waits)
    assert ops("export", str(tmp_path / "b")).code == 0
    restored = ops("import", str(tmp_path / "b"), "--replace")
    assert restored.code == 0, restored.err
    assert restored.rows[0]["ended"] >= 1
    shown = api.execution(*waits)
    assert shown["status"] == "error"
    assert "restored" in shown["error"]
    rerun = api.post(f"/executions/{waits[1]}:rerun?workflowId={waits[0]}")["executionId"]
    waiting(api, (waits[0], rerun))


def test_the_tables_of_a_moment_are_exported_and_leave_no_copies(
    api: ApiClient, stage: LocalStage, ops: Ops, tmp_path: Path
) -> None:
    task = api.create_task(one_node())["id"]
    dynamodb = stage.aws.client("dynamodb")
    tables = dynamodb.list_tables()["TableNames"]
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    exported = ops("export", str(tmp_path / "then"), "--at", moment)
    assert exported.code == 0, exported.err
    assert task in (tmp_path / "then" / "tasks.jsonl").read_text(encoding="utf-8")
    assert dynamodb.list_tables()["TableNames"] == tables
    assert ops("import", str(tmp_path)).code == 2, "that is no back-up"


def test_secrets_are_encrypted_anew_and_stay_the_same(
    api: ApiClient, stage: LocalStage, ops: Ops
) -> None:
    # Given a secret
    api.put_secret("AGAIN", "four")
    table, key = Deployment(stage).output("TableSecrets"), {"sk": {"S": "user#AGAIN"}}
    key["owner"] = {"S": api.owner}
    dynamodb = stage.aws.client("dynamodb")

    def stored() -> bytes:
        item = dynamodb.get_item(TableName=table, Key=key)["Item"]
        return bytes(item["ciphertext"]["B"])

    before = stored()
    # When
    assert ops("reencrypt", "--dry-run").rows[0]["done"] >= 1
    assert stored() == before
    assert ops("reencrypt").rows[0]["passed"] == 0
    # Then another ciphertext stands there, and runs read the same value
    assert stored() != before
    task = api.create_task(one_node("return apContext.configVars.AGAIN.length"))["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    assert api.execution(task, execution)["steps"][1]["output"]["data"] == 4


def test_keys_and_the_policies_of_earlier_ones_are_told(
    api: ApiClient, stage: LocalStage, ops: Ops
) -> None:
    # Given a policy for the present controller, and one for an earlier one
    told = {row["name"]: row for row in ops("keys").rows}
    assert told["Secrets"]["rotates"]
    assert {row["state"] for row in told.values()} == {"Enabled"}
    controller = told["Controller"]["address"]
    assert controller.startswith("0x")
    for number, signer in enumerate((controller, "0x" + "9" * 40)):
        Deployment(stage).change(
            "TableWallets",
            {"owner": api.owner, "sk": f"policy#1#{api.wallet}#000000000{number}"},
            status="active",
            signer=signer,
            wallet=api.wallet,
            chainId=1,
            id=f"policy-{number}",
            validUntil=0,
        )
    # Then the second is to be given anew
    listed = ops("grants", "--outdated")
    assert listed.code == 1
    ours = [row["id"] for row in listed.rows if row["owner"] == api.owner]
    assert ours == ["policy-1"]
