"""What each function may do, exactly: a right more or less is a failure here."""

from __future__ import annotations

import pytest

from infra_cdk.stage import STAGE_NAMES
from tests.infra.conftest import StageTemplates
from tests.infra.templates import Templates

Privileges = dict[str, set[str]]

_SCHEDULES = "arn:AWS::Partition:scheduler:AWS::Region:AWS::AccountId:schedule/task-engine-{}/*"
_WALKS = (
    "arn:AWS::Partition:states:AWS::Region:AWS::AccountId:execution:task-engine-{}-walk-standard:*"
)
_STANDARD = (
    "arn:AWS::Partition:states:AWS::Region:AWS::AccountId:stateMachine:task-engine-{}-walk-standard"
)
_RECEIVE = (
    "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:GetQueueUrl "
    "sqs:ReceiveMessage"
)
_NODE = {
    "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
    "KeysSecrets.Arn": "kms:Decrypt",
    "TablesExecutions.Arn": "dynamodb:BatchGetItem",
    "TablesSecrets.Arn": "dynamodb:BatchGetItem",
    "TablesSteps.Arn": "dynamodb:BatchGetItem dynamodb:UpdateItem",
    "TablesTasks.Arn": "dynamodb:GetItem",
}
_REFUSE = {
    "BlobsBucket.Arn/*": "s3:GetObject",
    "Bus.Arn": "events:PutEvents",
    "TablesExecutions.Arn": "dynamodb:GetItem dynamodb:UpdateItem",
    "TablesOperators.Arn": "dynamodb:PutItem",
    "TablesTasks.Arn": "dynamodb:GetItem dynamodb:UpdateItem",
}
_FINISH = _REFUSE | {"TablesSteps.Arn": "dynamodb:Query"}
_STATE = {"TablesTaskState.Arn": "dynamodb:PutItem dynamodb:Query"}
_WRITE = {
    "TablesGuards.Arn": "dynamodb:DeleteItem dynamodb:UpdateItem",
    "TablesOperations.Arn": "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
    "TablesWallets.Arn": "dynamodb:GetItem dynamodb:Query",
}
_FAILED = {"FailedEventsQueue.Arn": "sqs:SendMessage"}

EXPECTED: dict[str, dict[str, str]] = {
    "api_auth": {
        "KeysTokens.Arn": "kms:GenerateMac kms:VerifyMac",
        "TablesGuards.Arn": "dynamodb:UpdateItem",
    },
    "api_workflows": {
        "BlobsBucket.Arn/*": "s3:DeleteObject s3:GetObject s3:PutObject",
        "ExecutionQueue.Arn": "sqs:SendMessage",
        "KeysTokens.Arn": "kms:VerifyMac",
        "ScheduleRole.Arn": "iam:PassRole",
        "TablesExecutions.Arn": "dynamodb:GetItem dynamodb:PutItem dynamodb:Query",
        "TablesGuards.Arn": "dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem "
        "dynamodb:UpdateItem",
        "TablesOperators.Arn": "dynamodb:PutItem dynamodb:Query",
        "TablesSecrets.Arn": "dynamodb:BatchWriteItem dynamodb:Query",
        "TablesSteps.Arn": "dynamodb:Query",
        "TablesTaskState.Arn": "dynamodb:BatchWriteItem dynamodb:Query",
        "TablesTasks.Arn": "dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem "
        "dynamodb:Query dynamodb:UpdateItem",
        "TablesWallets.Arn": "dynamodb:Query",
        "WalkerExpressMachine": "states:StartSyncExecution",
        "WalkerStandardMachine": "states:StartExecution",
        _SCHEDULES: "scheduler:CreateSchedule scheduler:DeleteSchedule scheduler:UpdateSchedule",
    },
    "api_executions": {
        "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
        "ExecutionQueue.Arn": "sqs:SendMessage",
        "KeysTokens.Arn": "kms:VerifyMac",
        "TablesExecutions.Arn": "dynamodb:GetItem dynamodb:PutItem dynamodb:Query "
        "dynamodb:UpdateItem",
        "TablesGuards.Arn": "dynamodb:GetItem dynamodb:PutItem",
        "TablesOperators.Arn": "dynamodb:PutItem",
        "TablesSteps.Arn": "dynamodb:Query dynamodb:UpdateItem",
        _STANDARD: "states:SendTaskSuccess",
        "TablesTasks.Arn": "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query "
        "dynamodb:UpdateItem",
        "WalkerExpressMachine": "states:StartExecution",
        "WalkerStandardMachine": "states:StartExecution",
        _WALKS: "states:DescribeExecution",
    },
    "api_secrets": {
        "BlobsBucket.Arn/*": "s3:GetObject",
        "KeysSecrets.Arn": "kms:Encrypt",
        "KeysTokens.Arn": "kms:VerifyMac",
        "TablesSecrets.Arn": "dynamodb:DeleteItem dynamodb:Query dynamodb:UpdateItem",
        "TablesTasks.Arn": "dynamodb:GetItem",
    },
    "api_wallets": _WRITE
    | {
        "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
        "KeysTokens.Arn": "kms:VerifyMac",
        "TablesTasks.Arn": "dynamodb:Query",
        "TablesWallets.Arn": "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
    },
    "api_operators": {
        "KeysTokens.Arn": "kms:VerifyMac",
        "NoticeQueue.Arn": "sqs:SendMessage",
        "TablesOperators.Arn": "dynamodb:Query dynamodb:UpdateItem",
        "TablesOperators.Arn/index/changes": "dynamodb:Query",
    },
    "api_nodes": _WRITE
    | {
        "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
        "KeysSecrets.Arn": "kms:Decrypt",
        "KeysTokens.Arn": "kms:VerifyMac",
        "TablesGuards.Arn": "dynamodb:DeleteItem dynamodb:GetItem dynamodb:UpdateItem",
        "TablesSecrets.Arn": "dynamodb:BatchGetItem",
    },
    "node_rest_api": _NODE,
    "node_graphql_query": _NODE,
    "node_branch": _NODE,
    "node_filter": _NODE,
    "node_contract_read": _NODE,
    "node_balance": _NODE,
    "node_contract_write": _NODE | _WRITE,
    "node_eth_transfer": _NODE | _WRITE,
    "node_chain_loop": _NODE
    | _WRITE
    | _STATE
    | {
        "TablesSteps.Arn": "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query "
        "dynamodb:UpdateItem",
    },
    "node_custom_code": _NODE | _STATE,
    "node_loop": _NODE
    | _STATE
    | {
        "TablesSteps.Arn": "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query "
        "dynamodb:UpdateItem",
    },
    "node_await": {
        "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
        "ScheduleRole.Arn": "iam:PassRole",
        "TablesExecutions.Arn": "dynamodb:BatchGetItem dynamodb:UpdateItem",
        "TablesOperators.Arn": "dynamodb:PutItem",
        "TablesSteps.Arn": "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem",
        "TablesTasks.Arn": "dynamodb:GetItem",
        _SCHEDULES: "scheduler:CreateSchedule scheduler:UpdateSchedule",
        _STANDARD: "states:SendTaskSuccess",
    },
    "trigger": _FAILED
    | {
        _STANDARD: "states:SendTaskSuccess",
        "TablesSteps.Arn": "dynamodb:Query dynamodb:UpdateItem",
        "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
        "ExecutionQueue.Arn": "sqs:SendMessage",
        "NoticeQueue.Arn": _RECEIVE,
        "TablesExecutions.Arn": "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
        "TablesGuards.Arn": "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
        "TablesOperators.Arn": "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
        "TablesTasks.Arn": "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem",
        _SCHEDULES: "scheduler:DeleteSchedule",
    },
    "start_execution": _REFUSE
    | {
        "ExecutionQueue.Arn": _RECEIVE,
        "WalkerExpressMachine": "states:StartExecution",
        "WalkerStandardMachine": "states:StartExecution",
        _SCHEDULES: "scheduler:DeleteSchedule",
    },
    "fail_step": {
        "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
        "TablesSteps.Arn": "dynamodb:UpdateItem",
        "TablesTasks.Arn": "dynamodb:GetItem",
    },
    "finish_execution": _FINISH | _FAILED,
    "sweeper": _FINISH
    | _FAILED
    | {
        "BlobsBucket.Arn/*": "s3:GetObject s3:PutObject",
        "TablesSteps.Arn": "dynamodb:Query dynamodb:UpdateItem",
        _STANDARD: "states:SendTaskSuccess",
        "TablesExecutions.Arn/index/open": "dynamodb:Query",
        "TablesTasks.Arn/index/due": "dynamodb:Query",
        "WalkerExpressMachine": "states:StartExecution",
        "WalkerStandardMachine": "states:StartExecution",
        _SCHEDULES: "scheduler:DeleteSchedule",
        _WALKS: "states:DescribeExecution",
    },
}

_TRACING = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
_LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
}


def _expected(function: str, stage: str) -> Privileges:
    own = "".join(word.capitalize() for word in function.split("_"))
    every = {
        "*": "xray:PutTelemetryRecords xray:PutTraceSegments",
        f"{own}Logs.Arn": "logs:CreateLogStream logs:PutLogEvents",
    }
    rows = {**every, **EXPECTED[function]}
    if "s3:GetObject" in rows.get("BlobsBucket.Arn/*", ""):
        # So that what is not there is answered as such.
        rows["BlobsBucket.Arn"] = "s3:ListBucket"
    return {resource.format(stage): set(actions.split()) for resource, actions in rows.items()}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_function_may_do_what_it_does_and_nothing_else(
    templates: StageTemplates, stage: str
) -> None:
    # Given the stage's templates
    built = templates(stage)
    # When the policies of every function's role are read
    actual = {
        name: built.privileges(function["Properties"]["Role"])
        for name, function in built.functions().items()
    }
    # Then they are the table above, for every function
    assert actual == {name: _expected(name, stage) for name in EXPECTED}


def test_each_function_has_a_role_of_its_own(templates: StageTemplates) -> None:
    functions = templates("prod").functions()
    roles = [
        templates("prod").readable(function["Properties"]["Role"])
        for function in functions.values()
    ]
    assert len(set(roles)) == len(functions)


def test_nobody_has_all_actions_or_a_managed_policy(templates: StageTemplates) -> None:
    built = templates("prod")
    for logical_id, role in built.resources("AWS::IAM::Role").items():
        for statement in built.statements({"Ref": logical_id}):
            assert not {action for action in statement.actions if "*" in action}
        managed = role["Properties"].get("ManagedPolicyArns", [])
        # API Gateway's role for its logs: one of an account, and its policy is AWS's.
        assert not managed or logical_id.startswith("HttpApiCloudWatchRole")


def test_all_resources_are_only_granted_where_aws_knows_none(templates: StageTemplates) -> None:
    built = templates("prod")
    granted: set[str] = set()
    for logical_id in built.resources("AWS::IAM::Role"):
        for statement in built.statements({"Ref": logical_id}):
            if "*" in statement.resources:
                granted |= statement.actions
    assert granted == _TRACING | _LOG_DELIVERY


def test_a_walk_may_only_invoke_what_its_definition_names(templates: StageTemplates) -> None:
    built = templates("dev")
    named = {
        "NodeRestApi",
        "NodeGraphqlQuery",
        "NodeCustomCode",
        "NodeBranch",
        "NodeFilter",
        "NodeLoop",
        "NodeContractRead",
        "NodeBalance",
        "FailStep",
        "FinishExecution",
    }
    slow = {"NodeAwait", "NodeContractWrite", "NodeEthTransfer", "NodeChainLoop"}
    for machine, more in (("WalkerExpressRole", set()), ("WalkerStandardRole", slow)):
        role = next(r for r in built.resources("AWS::IAM::Role") if r.startswith(machine))
        privileges = built.privileges({"Ref": role})
        assert set(privileges) == {"*"} | {f"{name}Function.Arn" for name in named | more}
        invoked = [actions for name, actions in privileges.items() if name != "*"]
        assert invoked == [{"lambda:InvokeFunction"}] * len(named | more)


def test_schedules_may_only_fire_the_trigger(templates: StageTemplates) -> None:
    # Given the role that schedules fire with
    built = templates("dev")
    name, role = next(
        (name, role)
        for name, role in built.resources("AWS::IAM::Role").items()
        if name.startswith("ScheduleRole")
    )
    # Then it invokes the trigger and keeps what was not taken
    assert built.privileges({"Ref": name}) == {
        "TriggerFunction.Arn": {"lambda:InvokeFunction"},
        "MissedSchedulesQueue.Arn": {"sqs:SendMessage"},
    }
    # And nobody but schedules of our group can assume it
    [trust] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    group = built.readable(trust["Condition"]["StringEquals"]["aws:SourceArn"])
    assert group.endswith(":schedule-group/task-engine-dev")


def test_a_role_is_only_passed_to_the_scheduler(templates: StageTemplates) -> None:
    built = templates("dev")
    role = built.functions()["api_workflows"]["Properties"]["Role"]
    [passing] = [s for s in built.statements(role) if "iam:PassRole" in s.actions]
    assert passing.condition == (
        '{"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}'
    )


def test_only_named_functions_use_the_keys(templates: StageTemplates) -> None:
    # Given who may do what with which key
    built = templates("prod")
    users: dict[str, set[str]] = {}
    for name, function in built.functions().items():
        for resource, actions in built.privileges(function["Properties"]["Role"]).items():
            if resource.startswith("Keys"):
                for action in actions:
                    users.setdefault(f"{action} {resource}", set()).add(name)
    # Then writing and reading secrets, and making and checking tokens, are different functions'
    # An await node renders no templates.
    nodes = {name for name in EXPECTED if name.startswith("node_")} - {"node_await"}
    nodes.add("api_nodes")
    apis = {name for name in EXPECTED if name.startswith("api_")}
    assert users == {
        "kms:Encrypt KeysSecrets.Arn": {"api_secrets"},
        "kms:Decrypt KeysSecrets.Arn": nodes,
        "kms:GenerateMac KeysTokens.Arn": {"api_auth"},
        "kms:VerifyMac KeysTokens.Arn": apis,
    }


def test_only_what_writes_on_chain_may_sign_for_it(chain_template: Templates) -> None:
    # Given a stage that has chains, one of them with a paymaster of its own
    signers: dict[str, set[str]] = {}
    for name, function in chain_template.functions().items():
        privileges = chain_template.privileges(function["Properties"]["Role"])
        for resource, actions in privileges.items():
            if "kms:Sign" in actions:
                assert actions == {"kms:GetPublicKey", "kms:Sign"}
                signers.setdefault(resource, set()).add(name)
    # Then the functions of writes, and no other, may use its keys
    writing = {
        "api_nodes", "api_wallets", "node_chain_loop", "node_contract_write", "node_eth_transfer",
    }  # fmt: skip
    assert signers == {
        "KeysController.Arn": writing,
        "KeysBundler.Arn": writing,
        "KeysPaymaster.Arn": writing,
        "KeysOperator.Arn": {"operator"},
    }


def test_without_chains_there_are_no_keys_to_pay_for(templates: StageTemplates) -> None:
    specs = [
        key["Properties"].get("KeySpec", "SYMMETRIC_DEFAULT")
        for key in templates("prod").resources("AWS::KMS::Key").values()
    ]
    assert sorted(specs) == ["HMAC_256", "SYMMETRIC_DEFAULT"]
