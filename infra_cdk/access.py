"""What a function's row in the catalogue means: environment names and IAM statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_iam as iam

from infra_cdk.function_spec import FunctionSpec, Use
from infra_cdk.stage import PREFIX, StageConfig


@dataclass(frozen=True, slots=True)
class Grant:
    """One use: `names` are resource settings the function reads, `actions` by ARN name."""

    names: tuple[str, ...] = ()
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_SIGN = ("kms:GetPublicKey", "kms:Sign")
# Deployments without chains, or with a first key for tokens, have no such keys, and their functions
# no such rights.
_OPTIONAL = {
    "earlier_token_key": "EARLIER_TOKEN_KEY",
    "controller_key": "CONTROLLER_KEY",
    "bundler_key": "BUNDLER_KEY",
    "paymaster_key": "PAYMASTER_KEY",
    "operator_key": "OPERATOR_KEY",
}
_MEANING: Mapping[Use, Grant] = {
    # Who may not list a bucket is told 403 for what is not there, as if it were not allowed.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    Use.READ_BLOBS: Grant(
        ("BLOB_BUCKET",), {"blobs": ("s3:GetObject",), "blob_bucket": ("s3:ListBucket",)}
    ),
    Use.WRITE_BLOBS: Grant(("BLOB_BUCKET",), {"blobs": ("s3:PutObject",)}),
    Use.DELETE_BLOBS: Grant(("BLOB_BUCKET",), {"blobs": ("s3:DeleteObject",)}),
    Use.ENCRYPT_SECRETS: Grant(("SECRETS_KEY",), {"secrets_key": ("kms:Encrypt",)}),
    Use.DECRYPT_SECRETS: Grant(("SECRETS_KEY",), {"secrets_key": ("kms:Decrypt",)}),
    Use.SIGN_TOKENS: Grant(("TOKEN_KEY",), {"token_key": ("kms:GenerateMac",)}),
    Use.VERIFY_TOKENS: Grant(
        ("TOKEN_KEY", "EARLIER_TOKEN_KEY"),
        {"token_key": ("kms:VerifyMac",), "earlier_token_key": ("kms:VerifyMac",)},
    ),
    Use.ENQUEUE: Grant(("EXECUTION_QUEUE_URL",), {"execution_queue": ("sqs:SendMessage",)}),
    Use.WALK_EXPRESS: Grant(("WALK_EXPRESS_ARN",), {"walk_express": ("states:StartExecution",)}),
    Use.WALK_STANDARD: Grant(("WALK_STANDARD_ARN",), {"walk_standard": ("states:StartExecution",)}),
    Use.WALK_AND_WAIT: Grant(
        ("WALK_EXPRESS_ARN",), {"walk_express": ("states:StartSyncExecution",)}
    ),
    Use.ANSWER_WAITS: Grant((), {"waiting_walks": ("states:SendTaskSuccess",)}),
    Use.ASK_WALKS: Grant(
        ("WALK_STANDARD_ARN",), {"standard_executions": ("states:DescribeExecution",)}
    ),
    Use.ARM: Grant(
        ("SCHEDULE_GROUP", "SCHEDULE_ROLE_ARN", "TRIGGER_FUNCTION_ARN", "SCHEDULE_DLQ_ARN"),
        {
            "schedules": ("scheduler:CreateSchedule", "scheduler:UpdateSchedule"),
            "schedule_role": ("iam:PassRole",),
        },
    ),
    Use.DISARM: Grant(("SCHEDULE_GROUP",), {"schedules": ("scheduler:DeleteSchedule",)}),
    Use.ACT_FOR_WALLETS: Grant(("CONTROLLER_KEY",), {"controller_key": _SIGN}),
    Use.SEND_TRANSACTIONS: Grant(("BUNDLER_KEY",), {"bundler_key": _SIGN}),
    Use.SPONSOR: Grant(("PAYMASTER_KEY",), {"paymaster_key": _SIGN}),
    Use.NOTIFY: Grant(("NOTICE_QUEUE_URL",), {"notice_queue": ("sqs:SendMessage",)}),
    Use.SIGN_NOTICES: Grant(("OPERATOR_KEY",), {"operator_key": _SIGN}),
    Use.KNOW_OPERATOR: Grant(("OPERATOR_KEY",), {"operator_key": ("kms:GetPublicKey",)}),
    Use.ANNOUNCE: Grant(("EVENT_BUS",), {"event_bus": ("events:PutEvents",)}),
}


@dataclass(frozen=True, slots=True)
class Wildcard:
    """An ARN that ends in `*`: the nag finding it makes, and why it is as narrow as can be."""

    rule: str
    reason: str


class Access:
    """Turns catalogue rows into environments and policies, from what exists so far.

    `names` are values of resource settings, `arns` ARNs by the name used in the table above and by
    `table:<name>`, `wildcards` those ARNs that have one; all grow while the stack is built, and a
    missing one is a KeyError at synthesis.
    """

    def __init__(self, stage: StageConfig) -> None:
        self._stage = stage
        self.names: dict[str, str] = {}
        self.arns: dict[str, str] = {}
        self.wildcards: dict[str, Wildcard] = {}

    def environment(self, spec: FunctionSpec) -> dict[str, str]:
        """The settings of one function; only names that it needs, and the stage's limits."""
        wanted = {f"TABLE_{table.split('/')[0].upper()}" for table in spec.tables}
        for use in spec.uses:
            wanted.update(_MEANING[use].names)
        wanted -= set(_OPTIONAL.values()) - self.names.keys()
        given = {name: self.names[name] for name in wanted}
        settings = {**self._stage.settings, **self._stage.derived()}
        given.update({name: settings[name] for name in spec.settings if name in settings})
        given.update(self._stage.limits())
        given["STAGE"] = self._stage.name
        return {PREFIX + name: value for name, value in sorted(given.items())}

    def statements(self, spec: FunctionSpec) -> list[iam.PolicyStatement]:
        """Exactly what the row allows: one statement per resource."""
        return [
            self._statement(arn_name, sorted(allowed))
            for arn_name, allowed in sorted(actions_of(spec).items())
            if arn_name in self.arns or arn_name not in _OPTIONAL
        ]

    def findings(self, spec: FunctionSpec) -> list[Wildcard]:
        """The wildcards among the row's resources."""
        return [self.wildcards[name] for name in sorted(actions_of(spec)) if name in self.wildcards]

    def _statement(self, arn_name: str, actions: Sequence[str]) -> iam.PolicyStatement:
        conditions = (
            {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
            if arn_name == "schedule_role"
            else None
        )
        return iam.PolicyStatement(
            actions=list(actions), resources=[self._arn(arn_name)], conditions=conditions
        )

    def _arn(self, arn_name: str) -> str:
        kind, _, rest = arn_name.partition(":")
        table, _, index = rest.partition("/")
        if kind == "table" and index:
            return f"{self.arns[f'table:{table}']}/index/{index}"
        return self.arns[arn_name]


def actions_of(spec: FunctionSpec) -> dict[str, set[str]]:
    """The row's IAM actions by the name of an ARN: one of the table above, `table:<name>` or
    `table:<name>/<index>`."""
    actions: dict[str, set[str]] = {}
    for table, operations in spec.tables.items():
        actions[f"table:{table}"] = {f"dynamodb:{operation}" for operation in operations}
    for use in spec.uses:
        for arn_name, allowed in _MEANING[use].actions.items():
            actions.setdefault(arn_name, set()).update(allowed)
    return actions
