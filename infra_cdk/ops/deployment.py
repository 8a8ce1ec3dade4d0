"""A deployed stage as its owner's machine sees it: outputs, settings, clients."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra_cdk.constructs.tables import TABLES
from infra_cdk.local.settings import REGION, ROOT
from infra_cdk.stage import PREFIX, stage_config

# Together they are given every resource setting of the deployment.
_ASKED = (
    "ApiAuth", "ApiExecutions", "ApiSecrets", "ApiWallets", "ApiWorkflows", "NodeLoop", "Sweeper",
    "Trigger",
)  # fmt: skip


class OpsError(Exception):
    """The command could not do what was asked; the message says what to do."""


@dataclass(frozen=True)
class Deployment:
    """`outputs` are those of both stacks, `environment` what the stack gave to its functions."""

    stage: str
    outputs: Mapping[str, str]
    environment: Mapping[str, str]
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def find(cls, stage: str) -> Deployment:
        """Raises OpsError when there is no such deployment in the account and region at hand."""
        clients: dict[str, Any] = {}
        prefix = stage_config(stage, {}).prefix
        try:
            found = cls(stage, _outputs(_client(clients, "cloudformation"), prefix), {}, clients)
            given = {"AWS_REGION": found.region, **_environment(found)}
        except (BotoCoreError, ClientError) as error:
            raise OpsError(f"stage {stage} can't be looked up: {error}") from error
        return cls(stage, found.outputs, given, clients)

    def client(self, service: str) -> Any:  # noqa: ANN401 - one class per service
        """The boto3 client of a service, made once."""
        return _client(self._clients, service)

    def output(self, name: str) -> str:
        """Raises OpsError when the deployment has none of that name."""
        try:
            return self.outputs[name]
        except KeyError as error:
            raise OpsError(f"stage {self.stage} has no {name}") from error

    @cached_property
    def region(self) -> str:
        """Where the deployment is."""
        return str(self.client("cloudformation").meta.region_name)

    def functions(self) -> dict[str, str]:
        """Names of the deployed functions by the names of their outputs, e.g. `Sweeper`."""
        mark = "Function"
        return {
            name.removeprefix(mark): value
            for name, value in self.outputs.items()
            if name.startswith(mark)
        }

    def tables(self) -> dict[str, str]:
        """Names of the deployed tables by ours."""
        return {spec.name: self.output(f"Table{spec.construct_id}") for spec in TABLES}


def reach(stage: str) -> None:
    """Make the credentials at hand known to the engine's own client, and the local stage's
    endpoint to both. Raises OpsError without credentials."""
    if stage == "local" and not os.environ.get("AWS_ENDPOINT_URL"):
        _reach_local()
    given = boto3.Session().get_credentials()
    if given is None:
        raise OpsError("there are no AWS credentials: see `aws configure` or `aws sso login`")
    frozen = given.get_frozen_credentials()
    os.environ["AWS_ACCESS_KEY_ID"] = str(frozen.access_key)
    os.environ["AWS_SECRET_ACCESS_KEY"] = str(frozen.secret_key)
    if frozen.token:
        os.environ["AWS_SESSION_TOKEN"] = str(frozen.token)


def _reach_local() -> None:
    file = ROOT / ".local" / "endpoint.json"
    if not file.exists():
        raise OpsError("no local stage runs: start one with `make dev`")
    os.environ["AWS_ENDPOINT_URL"] = str(json.loads(file.read_text())["awsEndpoint"])
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[name] = "test"
    os.environ.pop("AWS_SESSION_TOKEN", None)


def _client(made: dict[str, Any], service: str) -> Any:  # noqa: ANN401 - one class per service
    if service not in made:
        local = bool(os.environ.get("AWS_ENDPOINT_URL"))
        config = Config(
            inject_host_prefix=not local,
            proxies={} if local else None,
            s3={"addressing_style": "path"} if local else None,
        )
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        made[service] = boto3.client(
            service,  # type: ignore[call-overload]
            config=config,
            region_name=region,
        )
    return made[service]


def _outputs(cloudformation: Any, prefix: str) -> dict[str, str]:  # noqa: ANN401 - boto3's own
    found: dict[str, str] = {}
    for name in ("stateful", "stateless"):
        [stack] = cloudformation.describe_stacks(StackName=f"{prefix}-{name}")["Stacks"]
        found.update({each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])})
    return found


def _environment(deployment: Deployment) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _ASKED:
        function = deployment.client("lambda").get_function_configuration(
            FunctionName=deployment.output(f"Function{name}")
        )
        given = function.get("Environment", {}).get("Variables", {})
        found.update({key: value for key, value in given.items() if key.startswith(PREFIX)})
    return found
