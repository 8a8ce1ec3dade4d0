"""The REST API: resources that API Gateway allows, everything else routed by the functions."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra_cdk.constructs.log_group import log_group
from infra_cdk.nag import acknowledge
from infra_cdk.stage import StageConfig

BASE_PATH = ("api", "v1")
STAGE_NAME = "live"
ROUTES: Mapping[str, tuple[str, ...]] = {
    "api_auth": ("auth:exchange", "health", "openapi.json", "docs"),
    "api_workflows": (
        "workflows",
        "workflows/{proxy+}",
        "workflows:count",
    ),
    "api_executions": (
        "executions",
        "executions/{proxy+}",
        "executions:count",
        "executions:stats",
    ),
    "api_secrets": ("secrets", "secrets/{proxy+}"),
    "api_wallets": ("wallets", "wallets/{proxy+}", "userops/{proxy+}", "tokens/{proxy+}"),
    "api_operators": ("operators", "operators/{proxy+}"),
    "api_nodes": ("nodes:run", "triggers:run", "workflows:simulate", "workflows:estimateFees"),
}
"""A path part is all literal (colons allowed) or all one variable, so verbs behind an id
(`{id}:pause`) are below the greedy child and routed in the function."""


class HttpApi(Construct):
    """API Gateway REST API (v1) with Lambda proxy integrations and no authorizer: the functions
    check the token themselves (docs/adr/0012)."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stage: StageConfig,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        logs = stage.monitoring.gateway_logs
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=stage.prefix,
            description="Task Engine",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=logs,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN if logs else None,
            deploy_options=self._deploy_options(stage),
        )
        self._add_problems()
        self._add_routes(functions)
        self._acknowledge(stage)

    def _deploy_options(self, stage: StageConfig) -> apigateway.StageOptions:
        if not stage.monitoring.gateway_logs:
            return apigateway.StageOptions(stage_name=STAGE_NAME, tracing_enabled=True)
        group = log_group(self, f"/aws/apigateway/{stage.prefix}", stage)
        return apigateway.StageOptions(
            stage_name=STAGE_NAME,
            tracing_enabled=True,
            metrics_enabled=True,
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
            throttling_rate_limit=1000,
            throttling_burst_limit=2000,
            access_log_destination=apigateway.LogGroupLogDestination(group),
            access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                caller=False,
                http_method=True,
                ip=True,
                protocol=True,
                request_time=True,
                resource_path=True,
                response_length=True,
                status=True,
                user=False,
            ),
        )

    def _add_routes(self, functions: Mapping[str, lambda_.IFunction]) -> None:
        base: apigateway.IResource = self.api.root
        for part in BASE_PATH:
            base = base.add_resource(part)
        for name, paths in ROUTES.items():
            integration = apigateway.LambdaIntegration(
                functions[name], allow_test_invoke=False, scope_permission_to_method=False
            )
            for path in paths:
                parent, _, child = path.partition("/")
                resource = base.get_resource(parent) or base.add_resource(parent)
                if child:
                    resource = resource.add_resource(child)
                resource.add_method("ANY", integration)

    def _add_problems(self) -> None:
        """What the gateway itself answers has the shape of our errors (RFC 9457)."""
        kinds = {
            "NotFound": (apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN, 404, "Not Found"),
            "TooLarge": (apigateway.ResponseType.REQUEST_TOO_LARGE, 413, "Content Too Large"),
            "Throttled": (apigateway.ResponseType.THROTTLED, 429, "Too Many Requests"),
            "Timeout": (apigateway.ResponseType.INTEGRATION_TIMEOUT, 504, "Gateway Timeout"),
            "Failure": (apigateway.ResponseType.DEFAULT_5_XX, 0, "Internal Server Error"),
        }
        for name, (kind, status, title) in kinds.items():
            problem = {"type": "about:blank", "title": title, "status": status or 500}
            problem["instance"] = "$context.requestId"
            self.api.add_gateway_response(
                name,
                type=kind,
                status_code=str(status) if status else None,
                response_headers={"Content-Type": "'application/problem+json'"},
                templates={"application/json": json.dumps(problem)},
            )

    def _acknowledge(self, stage: StageConfig) -> None:
        acknowledge(
            self.api,
            "Every function checks the token by its KMS key; an authorizer would cost a second "
            "invocation per request and LocalStack's free plan has none",
            "APIG4",
            "COG4",
        )
        acknowledge(
            self.api,
            "Requests are validated by the functions, which answer with all problems at once",
            "APIG2",
        )
        acknowledge(
            self.api.deployment_stage,
            "A web application firewall costs while idle; requests are throttled here and per "
            "owner in the functions. Attach one where the deployment needs it",
            "APIG3",
        )
        if stage.monitoring.gateway_logs:
            acknowledge(
                self.api,
                "API Gateway's own policy for writing its logs; the account has one such role",
                "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]",
            )
        else:
            acknowledge(
                self.api.deployment_stage,
                "Emulators write no gateway logs; the functions log every request",
                "APIG1",
                "APIG6",
            )
