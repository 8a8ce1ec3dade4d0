"""Every command of the runbook and of the page on operations does what its page says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from string import Template

import pytest
from task_engine.ids import new_id

from infra_cdk.local.client import ApiClient
from infra_cdk.local.settings import REGION, ROOT
from infra_cdk.local.stage import LocalStage
from tests.e2e.engine import Deployment, one_node
from tests.e2e.faults.test_lost_walks import put_back
from tests.e2e.operations.conftest import Ops

pytestmark = pytest.mark.deployed

PAGES = [*sorted((ROOT / "docs" / "runbook").glob("*.md")), ROOT / "docs" / "operations.md"]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = "task-engine-ops"


def commands(page: Path) -> list[str]:
    """The lines of the page's shell blocks."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [line for block in blocks for line in block.splitlines() if line]


def stopped_run(api: ApiClient, stage: LocalStage) -> tuple[str, str]:
    """A run that was recorded half an hour ago, and that nobody began to walk."""
    task = api.create_task(one_node())["id"]
    twin = api.trigger(task, blocking=True)["executionId"]
    table, dynamodb = Deployment(stage).output("TableExecutions"), stage.aws.client("dynamodb")
    key = {"taskId": {"S": task}, "id": {"S": twin}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    run = new_id()
    dynamodb.put_item(TableName=table, Item={**item, "id": {"S": run}})
    put_back(stage, task, run, 30)
    return task, run


def given_letter(stage: LocalStage, queue: str, body: str) -> str:
    """A dead letter's id."""
    url = Deployment(stage).output(f"DeadLetters{queue}Url")
    sent = stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    return str(sent["MessageId"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(
    api: ApiClient, stage: LocalStage, ops: Ops, tmp_path: Path, page: Path
) -> None:
    # Given a run that stopped, and messages about it among the dead letters
    task, run = stopped_run(api, stage)
    message = {"executionId": run, "taskId": task, "owner": api.owner}
    letters = [given_letter(stage, "Executions", json.dumps(message)) for _ in range(2)]
    known = {
        "STAGE": "local",
        "QUEUE": "Executions",
        "MESSAGE": letters[0],
        "TASK": task,
        "EXECUTION": run,
        "FOLDER": str(tmp_path / "backup"),
    }
    # When the page's commands are run in their order
    for line in commands(page):
        words = shlex.split(Template(line).substitute(known))
        assert words[:3] == [COMMAND, "--stage", "local"], line
        ran = ops(*words[3:], as_json=False)
        # Then each does what it says, or says that there is something to look at
        assert ran.code in (0, 1), f"{line}: {ran.err}"
        assert ran.out
    ops("discard", "Executions", "--all")


def test_the_pages_have_commands() -> None:
    assert all(commands(page) for page in PAGES if page.stem != "README")


def test_the_command_is_installed(stage: LocalStage) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": stage.aws.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    script = Path(sys.executable).parent / COMMAND
    done = subprocess.run(
        [script, "--stage", "local", "dead-letters"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "queue=Executions" in done.stdout


def test_a_stage_that_is_not_there_is_told(ops: Ops, capsys: pytest.CaptureFixture[str]) -> None:
    from infra_cdk.ops.cli import main  # noqa: PLC0415

    assert ops("alarms").code == 0
    assert main(["--stage", "prod", "alarms"]) == 2
    assert "stage prod" in capsys.readouterr().err
