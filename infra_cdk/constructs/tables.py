"""The DynamoDB tables: on demand, encrypted, recoverable to any second of the last weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra_cdk.stage import StageConfig


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """A sparse index; its hash key is text and its range key a number."""

    name: str
    hash: str
    range: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table; keys are text. `ttl` names the attribute that holds epoch seconds."""

    name: str
    hash: str
    range: str = ""
    ttl: str = ""
    indexes: tuple[IndexSpec, ...] = ()

    @property
    def construct_id(self) -> str:
        """Name in the construct tree."""
        return "".join(word.capitalize() for word in self.name.split("_"))


TABLES = (
    TableSpec("tasks", "owner", "sk", indexes=(IndexSpec("due", "dueShard", "expiredAt"),)),
    TableSpec("executions", "taskId", "id", indexes=(IndexSpec("open", "openShard", "startAt"),)),
    TableSpec("steps", "executionId", "sk"),
    TableSpec("secrets", "owner", "sk"),
    TableSpec("wallets", "owner", "sk"),
    TableSpec("task_state", "taskId", "key"),
    TableSpec("guards", "name", ttl="expiresAt"),
    TableSpec("operations", "name"),
    TableSpec(
        "operators",
        "group",
        "sk",
        ttl="expiresAt",
        indexes=(IndexSpec("changes", "group", "version"),),
    ),
)


class Tables(Construct):
    """All tables, by name.

    Encrypted by the account's DynamoDB key: a key of our own would have to be opened to every
    function that reads any table, so it would separate nobody (docs/adr/0010).
    """

    def __init__(self, scope: Construct, construct_id: str, stage: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self.by_name: Mapping[str, dynamodb.Table] = {
            spec.name: self._table(spec, stage) for spec in TABLES
        }

    def _table(self, spec: TableSpec, stage: StageConfig) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            spec.construct_id,
            partition_key=_text(spec.hash),
            sort_key=_text(spec.range) if spec.range else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=spec.ttl or None,
            deletion_protection=stage.keep_data,
            removal_policy=RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY,
        )
        for index in spec.indexes:
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.hash),
                sort_key=dynamodb.Attribute(name=index.range, type=dynamodb.AttributeType.NUMBER),
                projection_type=dynamodb.ProjectionType.ALL,
            )
        return table


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
