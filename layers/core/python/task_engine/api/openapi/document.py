"""The whole description, put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from task_engine import __version__
from task_engine.api.access import Access
from task_engine.api.application import Route
from task_engine.api.openapi import paging, problems
from task_engine.api.openapi.auth import AUTH
from task_engine.api.openapi.examples import Examples
from task_engine.api.openapi.executions import EXECUTIONS
from task_engine.api.openapi.forms import form_schemas
from task_engine.api.openapi.one_shot import ONE_SHOT
from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.operators import OPERATORS
from task_engine.api.openapi.policies import POLICIES
from task_engine.api.openapi.secrets import SECRETS
from task_engine.api.openapi.shapes import Schema, ref
from task_engine.api.openapi.wallets import WALLETS
from task_engine.api.openapi.workflows import WORKFLOWS

RESOURCES: tuple[Resource, ...] = (
    AUTH,
    WORKFLOWS,
    ONE_SHOT,
    EXECUTIONS,
    WALLETS,
    POLICIES,
    SECRETS,
    OPERATORS,
)
# A header that decides may be sent once, and a broken token is refused, on public routes too; the
# gateway gives up by itself.
_ANY_ROUTE = (400, 401, 429, 500, 503, 504)
_SECURITY: Mapping[Access, list[dict[str, list[str]]]] = {
    Access.PUBLIC: [{}, {"bearer": []}],
    Access.OWNER_OR_PARTNER: [{"bearer": []}, {"partner": []}],
    Access.PARTNER: [{"partner": []}],
    Access.OPERATOR: [
        {"operatorAddress": [], "operatorTimestamp": [], "operatorSignature": []},
    ],
}
_DESCRIPTION = """Tasks on chain and over HTTP. Times are milliseconds since the epoch unless a
field says otherwise; wei, gas and salts are decimal texts; fields that are not set are absent.
Errors are problem documents (RFC 9457): programs switch on `status` and `code`."""


def undescribed(routes: Iterable[Route]) -> set[str]:
    """Routes that the description lacks, and descriptions that no route has."""
    return {_key(route) for route in routes} ^ _operations().keys()


def openapi_document(routes: Iterable[Route], events: Path) -> dict[str, Any]:
    """The document for these routes; raises KeyError for one that no resource describes."""
    examples = Examples(events)
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
        resource, operation = _operations()[_key(route)]
        item = paths.setdefault(route.path, {})
        item[route.method.lower()] = _operation(resource, operation, route, examples)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Task Engine",
            "version": __version__,
            "description": " ".join(_DESCRIPTION.split()),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"bearer": []}],
        "tags": [{"name": each.tag, "description": each.description} for each in RESOURCES],
        "paths": paths,
        "components": _components(),
    }


def _key(route: Route) -> str:
    return f"{route.method} {route.path}"


def _operations() -> Mapping[str, tuple[Resource, Operation]]:
    return {
        key: (resource, operation)
        for resource in RESOURCES
        for key, operation in resource.operations.items()
    }


def _components() -> dict[str, Any]:
    schemas: dict[str, Schema] = {**form_schemas(), **problems.SCHEMAS, **paging.SCHEMAS}
    for resource in RESOURCES:
        schemas.update(resource.schemas)
    errors = {status for _, each in _operations().values() for status in each.errors}
    return {
        "schemas": dict(sorted(schemas.items())),
        "responses": {
            problems.name_of(status): problems.problem_reply(status)
            for status in sorted({*errors, *_ANY_ROUTE})
        },
        "headers": problems.HEADERS,
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "The token of POST /auth:exchange.",
            },
            "partner": _header(
                "X-Partner-Assertion", "A JWT (EdDSA) of a registered partner, an hour old at most."
            ),
            "operatorAddress": _header("X-Operator-Address", "Whose key has signed the request."),
            "operatorTimestamp": _header(
                "X-Operator-Timestamp", "Milliseconds since the epoch; 60 s from now at most."
            ),
            "operatorSignature": _header(
                "X-Operator-Signature",
                "EIP-191 signature of method, path, timestamp and the body's SHA-256, a line each.",
            ),
        },
    }


def _header(name: str, description: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


def _operation(
    resource: Resource, operation: Operation, route: Route, examples: Examples
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [resource.tag],
        "summary": operation.summary,
    }
    if operation.description:
        found["description"] = operation.description
    if route.access in _SECURITY:
        found["security"] = _SECURITY[route.access]
    parameters = [_path_parameter(name, schema) for name, schema in operation.path.items()]
    parameters += [_parameter(each) for each in operation.parameters]
    if parameters:
        found["parameters"] = parameters
    if operation.body:
        found["requestBody"] = _body(operation, examples)
    found["responses"] = _replies(operation)
    return found


def _path_parameter(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        found |= {"style": "form", "explode": True}
    return found


def _body(operation: Operation, examples: Examples) -> dict[str, Any]:
    shown = {operation.event: examples.body(operation.event)} if operation.event else {}
    if operation.body == "CreateWorkflowRequest":
        shown |= examples.workflows()
    media: dict[str, Any] = {"schema": ref(operation.body)}
    if shown:
        media["examples"] = {name: {"value": value} for name, value in shown.items()}
    return {"required": operation.body_required, "content": {"application/json": media}}


def _replies(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        str(status): _success(status, success) for status, success in operation.replies.items()
    }
    for status in sorted({*operation.errors, *_ANY_ROUTE}):
        found[str(status)] = {"$ref": f"#/components/responses/{problems.name_of(status)}"}
    return found


def _success(status: int, success: Success) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": success.description,
        "headers": problems.headers_of(status),
    }
    if success.schema is not None:
        found["content"] = {success.media_type: {"schema": success.schema}}
    return found
