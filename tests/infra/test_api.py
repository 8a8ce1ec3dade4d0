"""The REST API's resources and what the gateway does by itself."""

from __future__ import annotations

import json

import pytest

from infra_cdk.stage import STAGE_NAMES
from tests.infra.conftest import StageTemplates
from tests.infra.templates import Templates

ROUTES = {
    "/api/v1/auth:exchange": "ApiAuth",
    "/api/v1/docs": "ApiAuth",
    "/api/v1/health": "ApiAuth",
    "/api/v1/openapi.json": "ApiAuth",
    "/api/v1/workflows": "ApiWorkflows",
    "/api/v1/workflows/{proxy+}": "ApiWorkflows",
    "/api/v1/workflows:count": "ApiWorkflows",
    "/api/v1/nodes:run": "ApiNodes",
    "/api/v1/triggers:run": "ApiNodes",
    "/api/v1/workflows:estimateFees": "ApiNodes",
    "/api/v1/workflows:simulate": "ApiNodes",
    "/api/v1/executions": "ApiExecutions",
    "/api/v1/executions/{proxy+}": "ApiExecutions",
    "/api/v1/executions:count": "ApiExecutions",
    "/api/v1/executions:stats": "ApiExecutions",
    "/api/v1/secrets": "ApiSecrets",
    "/api/v1/secrets/{proxy+}": "ApiSecrets",
    "/api/v1/wallets": "ApiWallets",
    "/api/v1/wallets/{proxy+}": "ApiWallets",
    "/api/v1/userops/{proxy+}": "ApiWallets",
    "/api/v1/tokens/{proxy+}": "ApiWallets",
    "/api/v1/operators": "ApiOperators",
    "/api/v1/operators/{proxy+}": "ApiOperators",
}


def _paths(built: Templates) -> dict[str, str]:
    resources = built.resources("AWS::ApiGateway::Resource")

    def path(logical_id: str) -> str:
        properties = resources[logical_id]["Properties"]
        parent = properties["ParentId"].get("Ref", "")
        return f"{path(parent) if parent in resources else ''}/{properties['PathPart']}"

    return {logical_id: path(logical_id) for logical_id in resources}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_route_reaches_its_function(templates: StageTemplates, stage: str) -> None:
    built = templates(stage)
    paths = _paths(built)
    routes = {}
    for method in built.resources("AWS::ApiGateway::Method").values():
        properties = method["Properties"]
        assert properties["HttpMethod"] == "ANY"
        assert properties["Integration"]["Type"] == "AWS_PROXY"
        assert properties["AuthorizationType"] == "NONE"
        uri = built.readable(properties["Integration"]["Uri"])
        function = uri.partition("functions/")[2].partition("Function.Arn")[0]
        routes[paths[properties["ResourceId"]["Ref"]]] = function
    assert routes == ROUTES


def test_path_parts_are_all_literal_or_all_variable(templates: StageTemplates) -> None:
    for path in _paths(templates("dev")).values():
        part = path.rpartition("/")[2]
        assert ("{" in part) == (part == "{proxy+}")


def test_the_gateway_may_invoke_only_from_this_api(templates: StageTemplates) -> None:
    built = templates("dev")
    sources = {
        built.readable(permission["Properties"]["FunctionName"]): built.readable(
            permission["Properties"]["SourceArn"]
        )
        for permission in built.resources("AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
    }
    assert set(sources) == {f"{name}Function.Arn" for name in set(ROUTES.values())}
    assert all(":HttpApi/" in source for source in sources.values())


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_requests_are_throttled_logged_and_traced(templates: StageTemplates, stage: str) -> None:
    [deployed] = templates(stage).resources("AWS::ApiGateway::Stage").values()
    properties = deployed["Properties"]
    [settings] = properties["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == 1000
    assert settings["ThrottlingBurstLimit"] == 2000
    assert settings["DataTraceEnabled"] is False
    assert properties["TracingEnabled"] is True
    assert "$context.requestId" in properties["AccessLogSetting"]["Format"]


def test_the_gateways_own_answers_are_problem_documents(templates: StageTemplates) -> None:
    answers = {}
    for response in templates("dev").resources("AWS::ApiGateway::GatewayResponse").values():
        properties = response["Properties"]
        problem = json.loads(properties["ResponseTemplates"]["application/json"])
        answers[properties["ResponseType"]] = problem["status"]
        kind = properties["ResponseParameters"]["gatewayresponse.header.Content-Type"]
        assert kind == "'application/problem+json'"
        assert set(problem) == {"type", "title", "status", "instance"}
    assert answers == {
        "MISSING_AUTHENTICATION_TOKEN": 404,
        "REQUEST_TOO_LARGE": 413,
        "THROTTLED": 429,
        "INTEGRATION_TIMEOUT": 504,
        "DEFAULT_5XX": 500,
    }
