"""What can be replaced at any time: functions, state machines, the API, alarms."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import ArnFormat, CfnOutput, Duration, IStackSynthesizer, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.access import Access, Wildcard
from infra_cdk.bundling import Bundles
from infra_cdk.catalogue import (
    API_FUNCTIONS,
    CHAIN_NODE_FUNCTIONS,
    FUNCTIONS,
    NODE_FUNCTIONS,
    OPERATOR_FUNCTION,
    WALKED_FUNCTIONS,
    WORKER_FUNCTIONS,
)
from infra_cdk.constructs.alarms import Alarms
from infra_cdk.constructs.dashboard import Dashboard
from infra_cdk.constructs.http_api import BASE_PATH, STAGE_NAME, HttpApi
from infra_cdk.constructs.layers import layers
from infra_cdk.constructs.python_function import PythonFunction, Workshop
from infra_cdk.constructs.queues import DeadLetters
from infra_cdk.constructs.schedules import ScheduleRole
from infra_cdk.constructs.walker import Walker, machine_name
from infra_cdk.constructs.watched import Watched
from infra_cdk.stacks.stateful import StatefulStack
from infra_cdk.stage import StageConfig

_SWEEP_EVERY = Duration.minutes(5)
_WATCH_EVERY = Duration.minutes(1)


class StatelessStack(Stack):
    """Built in the order in which the parts name each other: the functions of nodes, the state
    machines over them, the trigger, and then those that start walks."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        data: StatefulStack,
        bundles: Bundles,
        synthesizer: IStackSynthesizer | None,
    ) -> None:
        super().__init__(
            scope,
            "Stateless",
            stack_name=f"{stage.prefix}-stateless",
            description="Task Engine: code",
            synthesizer=synthesizer,
        )
        self._data = data
        self._access = _data_access(stage, data)
        self._workshop = Workshop(
            stage, bundles, layers(self, stage, bundles), self._access, data.failed_events.queue
        )
        self.functions: dict[str, PythonFunction] = {}
        # Waits end by schedules, which invoke the trigger; so it is there before the walker is.
        self._access.arns["waiting_walks"] = self.format_arn(
            service="states",
            resource="stateMachine",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            resource_name=machine_name(stage, "standard"),
        )
        self._add_functions(["trigger"])
        self._open_schedules()
        self._add_functions(WALKED_FUNCTIONS)
        walked = {name: self.functions[name] for name in WALKED_FUNCTIONS}
        self.walker = Walker(self, "Walker", stage, walked)
        self._open_walks()
        self._add_functions(["start_execution", "sweeper", *API_FUNCTIONS])
        self.missed_events = DeadLetters(self, "MissedEvents", stage)
        self._connect_events()
        if stage.watched_chains():
            self._add_functions([OPERATOR_FUNCTION])
            self._watch_chains(stage)
        self.http = HttpApi(
            self, "Http", stage, {name: self.functions[name].function for name in API_FUNCTIONS}
        )
        self._watch(stage)
        self._add_outputs()

    def _watch(self, stage: StageConfig) -> None:
        chains = stage.watched_chains()
        watched = Watched(
            functions={
                "API": self._group(API_FUNCTIONS),
                # One alarm adds up ten functions at most.
                "Nodes": self._group(n for n in NODE_FUNCTIONS if n not in CHAIN_NODE_FUNCTIONS),
                "ChainNodes": self._group(CHAIN_NODE_FUNCTIONS),
                "Workers": self._group(WORKER_FUNCTIONS),
                **({"Operator": self._group([OPERATOR_FUNCTION])} if chains else {}),
            },
            machines={
                "Express": self.walker.express.machine,
                "Standard": self.walker.standard.machine,
            },
            queues={"Executions": self._data.executions, "Notices": self._data.notices},
            dead_letters={**self._data.dead_letters(), "MissedEvents": self.missed_events},
            api=self.http.api,
            sweeper_logs=self.functions["sweeper"].log_group,
            chains=chains,
        )
        if stage.monitoring.alarms:
            Alarms(self, "Alarms", stage, watched)
        if stage.monitoring.dashboard:
            Dashboard(self, "Dashboard", stage, watched)

    def _group(self, names: Iterable[str]) -> list[lambda_.IFunction]:
        return [self.functions[name].function for name in names]

    def _add_functions(self, names: Iterable[str]) -> None:
        for name in names:
            self.functions[name] = PythonFunction(self, FUNCTIONS[name], self._workshop)

    def _open_schedules(self) -> None:
        trigger = self.functions["trigger"].function
        letters = self._data.missed_schedules.queue
        role = ScheduleRole(self, "ScheduleRole", self._data.schedules.name, trigger, letters).role
        self._access.arns["schedule_role"] = role.role_arn
        self._access.names.update(
            SCHEDULE_ROLE_ARN=role.role_arn, TRIGGER_FUNCTION_ARN=trigger.function_arn
        )

    def _open_walks(self) -> None:
        express = self.walker.express.machine
        standard = self.walker.standard.machine
        self._access.names.update(
            WALK_EXPRESS_ARN=express.state_machine_arn, WALK_STANDARD_ARN=standard.state_machine_arn
        )
        self._access.arns.update(
            walk_express=express.state_machine_arn,
            walk_standard=standard.state_machine_arn,
            standard_executions=self.format_arn(
                service="states",
                resource="execution",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
                resource_name=f"{self.walker.standard.name}:*",
            ),
        )
        self._access.wildcards["standard_executions"] = Wildcard(
            f"IAM5[Resource::{_ACCOUNT.format('states')}:execution:{self.walker.standard.name}:*]",
            "Walks of our state machine: they are named after executions",
        )

    def _connect_events(self) -> None:
        self._read("start_execution", self._data.executions.queue)
        self._read("trigger", self._data.notices.queue)
        events.Rule(
            self,
            "Sweep",
            description="Brings every task and execution to its end",
            schedule=events.Schedule.rate(_SWEEP_EVERY),
            targets=[self._target("sweeper")],
        )
        events.Rule(
            self,
            "WalkFailed",
            description="A Standard walk that failed as a whole still gives its execution an end",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [self.walker.standard.machine.state_machine_arn],
                },
            ),
            targets=[self._target("finish_execution")],
        )

    def _watch_chains(self, stage: StageConfig) -> None:
        """A turn that fails is not tried again: the next one begins where it did."""
        for chain_id in stage.watched_chains():
            target = targets.LambdaFunction(
                self.functions[OPERATOR_FUNCTION].function,
                event=events.RuleTargetInput.from_object({"chainId": chain_id}),
                dead_letter_queue=self.missed_events.queue,
                retry_attempts=0,
                max_event_age=_WATCH_EVERY,
            )
            events.Rule(
                self,
                f"Watch{chain_id}",
                description=f"Watches chain {chain_id} for block and event triggers",
                schedule=events.Schedule.rate(_WATCH_EVERY),
                targets=[target],
            )

    def _read(self, function: str, queue: sqs.IQueue) -> None:
        source = sources.SqsEventSource(queue, batch_size=10, report_batch_item_failures=True)
        self.functions[function].function.add_event_source(source)

    def _target(self, function: str) -> targets.LambdaFunction:
        return targets.LambdaFunction(
            self.functions[function].function,
            dead_letter_queue=self.missed_events.queue,
            retry_attempts=10,
            max_event_age=Duration.hours(2),
        )

    def _add_outputs(self) -> None:
        api = self.http.api
        outputs = {
            "ApiUrl": api.url_for_path("/" + "/".join(BASE_PATH)),
            "RestApiId": api.rest_api_id,
            "RestApiStage": STAGE_NAME,
            "DeadLettersMissedEventsUrl": self.missed_events.queue.queue_url,
            "WalkExpressArn": self.walker.express.machine.state_machine_arn,
            "WalkStandardArn": self.walker.standard.machine.state_machine_arn,
        }
        for name, built in self.functions.items():
            outputs[f"Function{FUNCTIONS[name].construct_id}"] = built.function.function_name
        for name, value in outputs.items():
            CfnOutput(self, f"Out{name}", value=value).override_logical_id(name)


def _data_access(stage: StageConfig, data: StatefulStack) -> Access:
    access = Access(stage)
    for name, table in data.tables.by_name.items():
        access.names[f"TABLE_{name.upper()}"] = table.table_name
        access.arns[f"table:{name}"] = table.table_arn
    access.names.update(
        BLOB_BUCKET=data.blobs.bucket.bucket_name,
        SECRETS_KEY=data.keys.secrets.key_id,
        TOKEN_KEY=data.keys.tokens.key_id,
        EXECUTION_QUEUE_URL=data.executions.queue.queue_url,
        NOTICE_QUEUE_URL=data.notices.queue.queue_url,
        SCHEDULE_GROUP=data.schedules.name,
        SCHEDULE_DLQ_ARN=data.missed_schedules.queue.queue_arn,
        EVENT_BUS=data.bus.event_bus_name,
    )
    if data.keys.earlier_tokens is not None:
        access.names["EARLIER_TOKEN_KEY"] = data.keys.earlier_tokens.key_id
        access.arns["earlier_token_key"] = data.keys.earlier_tokens.key_arn
    for name, key in data.keys.signing.items():
        access.names[f"{name.upper()}_KEY"] = key.key_id
        access.arns[f"{name}_key"] = key.key_arn
    prefix = data.schedules.schedules_prefix()
    access.arns.update(
        blobs=data.blobs.bucket.arn_for_objects("*"),
        blob_bucket=data.blobs.bucket.bucket_arn,
        secrets_key=data.keys.secrets.key_arn,
        token_key=data.keys.tokens.key_arn,
        execution_queue=data.executions.queue.queue_arn,
        notice_queue=data.notices.queue.queue_arn,
        schedules=f"{prefix}/*",
        event_bus=data.bus.event_bus_arn,
    )
    exported = data.resolve(data.export_value(data.blobs.bucket.bucket_arn))["Fn::ImportValue"]
    access.wildcards.update(
        blobs=Wildcard(f"IAM5[Resource::{exported}/*]", "Objects of our bucket, by any key"),
        schedules=Wildcard(
            f"IAM5[Resource::{_ACCOUNT.format('scheduler')}:schedule/{data.schedules.name}/*]",
            "Schedules of our group: they are named after tasks",
        ),
    )
    return access


# As cdk-nag writes what CloudFormation fills in.
_ACCOUNT = "arn:<AWS::Partition>:{}:<AWS::Region>:<AWS::AccountId>"
