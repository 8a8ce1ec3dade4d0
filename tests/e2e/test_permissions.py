"""The functions' roles, enforced: nothing that they need is missing, nothing is there in vain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.emulator import PERMISSIONS_FILE
from infra_cdk.local.permissions import Right, checked, granted
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from tests.cases.case import branch, code, graphql, loop, rest
from tests.e2e.engine import Deployment, Json, task_of

pytestmark = pytest.mark.deployed

# Function, action and resource (patterns) that no test makes a function ask for, and why it may.
UNASKED = [
    ("*", "xray:*", "*", "asked by the Lambda service"),
    ("*", "logs:*", "*", "asked by the Lambda service"),
    ("*", "sqs:SendMessage", "*FailedEvents*", "asked by the Lambda service"),
    ("trigger", "sqs:*", "*NoticeQueue*", "asked by the Lambda service"),
    ("start_execution", "sqs:*", "*ExecutionQueue*", "asked by the Lambda service"),
    ("*", "iam:PassRole", "*", "asked with the schedule; the emulator does not check it"),
    ("api_auth", "kms:VerifyMac", "*", "for a token sent to a public route"),
    ("*", "s3:*", "*", "for what is too large for a table; which functions, infra tests say"),
    ("node_*", "kms:Decrypt", "*", "for the secrets of templates, which any node may have"),
    ("node_*", "dynamodb:BatchGetItem", "*Secrets*", "the same"),
    ("node_*", "dynamodb:BatchGetItem", "*Steps*", "for outputs of nodes before it"),
    ("node_*loop", "dynamodb:*", "*TaskState*", "for scripts in loops that keep state"),
    ("node_*loop", "dynamodb:GetItem", "*Steps*", "for a chunk that another call began"),
    ("*", "scheduler:UpdateSchedule", "*", "for a schedule that is there already"),
    ("*", "scheduler:DeleteSchedule", "*", "for schedules of tasks that are over"),
    ("node_await", "states:SendTaskSuccess", "*", "for a decision that came before its wait"),
    ("sweeper", "states:*", "*", "for waits and walks that got lost"),
    ("sweeper", "dynamodb:UpdateItem", "*Steps*", "the same"),
    ("start_execution", "events:PutEvents", "*", "for an execution that can't be started"),
    ("start_execution", "dynamodb:*", "*", "the same"),
    ("api_workflows", "dynamodb:Query", "*Steps*", "for a blocking run that is not over in time"),
    ("api_nodes", "dynamodb:GetItem", "*Guards*", "for a key whose first call is still at work"),
    ("api_executions", "dynamodb:GetItem", "*Guards*", "the same"),
    ("api_executions", "states:StartExecution", "*express*", "for a run that is begun again"),
    ("api_nodes", "kms:*", "*", "for nodes that write: the paymaster's key on a sponsored chain"),
    ("api_wallets", "kms:*", "*", "the same, for withdrawals"),
    ("node_chain_loop", "kms:*", "*", "the same"),
    ("*", "dynamodb:*", "*TablesOperators*", "for tasks that are watched; integration tests say"),
    ("*operator*", "kms:*", "*", "for notices that are signed, and what they are checked with"),
    ("operator", "dynamodb:DeleteItem", "*Guards*", "for a chain that is given back"),
    ("trigger", "kms:GetPublicKey", "*", "for notices of the deployment's own operator"),
]


def test_no_function_was_refused_what_it_asked_for(api: ApiClient, stage: LocalStage) -> None:
    # Given all that ran on the stage so far, a log-in at least
    assert api.owner
    assert checked(stage.directory, allowed=True)
    # Then no function asked for what its role does not allow
    assert checked(stage.directory, allowed=False) == set()


def test_a_right_that_is_missing_shows(api: ApiClient, stage: LocalStage) -> None:
    assert api.request("GET", "/operators").status == 200
    # Given a function whose role lost its policy
    with without_policies(stage, "ApiOperatorsRole"):
        # When it is called
        answer = api.request("GET", "/operators")
    # Then it can't do its work, and the record says what it lacks
    assert answer.status == 500
    refused = checked(stage.directory, allowed=False)
    assert {right.function for right in refused} == {"api_operators"}
    forget(stage, refused)
    assert api.request("GET", "/operators").status == 200


def test_every_right_is_used_or_explained(
    api: ApiClient, stage: LocalStage, http_server: HttpServer, graphql_server: GraphqlServer
) -> None:
    # Given what other tests seldom do: secrets and large data in every node, a task that is
    # deleted with all it has, a hidden wallet, a step that has to be given up
    run_with_secrets(api, http_server.url, graphql_server.url)
    api.request("PATCH", f"/wallets/{api.wallet}", {"isHidden": True})
    give_up_a_step(api, stage)
    # When the rights that were used are taken from those that were granted
    used = checked(stage.directory, allowed=True)
    left = {right for right in granted(stage.aws) if not any(right.covers(use) for use in used)}
    # Then for each that is left there is a reason
    assert "\n".join(sorted(f"{right}" for right in left if not explained(right))) == ""


def test_reasons_are_about_rights_that_there_are(stage: LocalStage) -> None:
    rights = granted(stage.aws)
    idle = [row[:3] for row in UNASKED if not any(_is_about(row, right) for right in rights)]
    assert idle == []


def forget(stage: LocalStage, refused: set[Right]) -> None:
    """Take refusals that were meant out of the record."""
    file = stage.directory / PERMISSIONS_FILE
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if '"allowed": false' not in line))
    assert refused
    assert checked(stage.directory, allowed=False) == set()


def explained(right: Right) -> bool:
    return any(_is_about(row, right) for row in UNASKED)


def _is_about(row: tuple[str, str, str, str], right: Right) -> bool:
    found = (right.function, right.action, right.resource)
    return all(fnmatchcase(text, pattern) for text, pattern in zip(found, row, strict=False))


def run_with_secrets(api: ApiClient, http: str, graph: str) -> None:
    api.request("PUT", "/secrets/KEY", {"value": "value-of-the-key"})
    key = "{{apContext.configVars.KEY}}"
    nodes: list[Json] = [
        code("large", "state.set('n', 1); return ['x'.repeat(2e6)]"),
        rest("get", f"{http}/echo?k={key}"),
        graphql("ask", f"{graph}/graphql?k={key}", "{ hello }"),
        branch("way", ("c", "if", "{{large.data.length}} > 0 && '" + key + "' != ''")),
        loop("each", "{{large.data}}", code("x", "return value.length")),
    ]
    edges = [("t", "large"), *(("large", node["id"]) for node in nodes[1:])]
    task = api.create_task(task_of(nodes, edges))["id"]
    api.request("PUT", "/secrets/OWN", {"value": "of-the-task", "workflowId": task})
    api.finished(task, api.trigger(task, blocking=False)["executionId"])
    assert api.request("DELETE", f"/workflows/{task}").status in (200, 204)


def give_up_a_step(api: ApiClient, stage: LocalStage) -> None:
    task = api.create_task(task_of([code("n", "return 1")], [("t", "n")]))
    execution = api.trigger(task["id"], blocking=True)["executionId"]
    run = {
        "executionId": execution,
        "taskId": task["id"],
        "owner": api.owner,
        "version": 1,
        "walk": execution,
    }
    error = {"Error": "Lambda.Unknown", "Cause": json.dumps({"errorMessage": "gone"})}
    Deployment(stage).invoke("FailStep", {"run": run, "nodeId": "n", "error": error})


@contextmanager
def without_policies(stage: LocalStage, role_id: str) -> Iterator[None]:
    """The role without its policies, for as long as the block lasts."""
    iam = stage.aws.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    [role] = [name for name in names if role_id in name]
    kept = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        kept[name] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in kept.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
