"""Routes of secrets; no reply ever has a value."""

from __future__ import annotations

from task_engine.api.application import Application, Gate
from task_engine.api.cursors import list_binding, page_json, page_request
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.model.json_value import JsonValue
from task_engine.model.secret import SecretInfo
from task_engine.services.secrets import SecretService


class Secrets:
    """Endpoints over the use cases."""

    def __init__(self, secrets: SecretService) -> None:
        self._secrets = secrets

    def list(self, request: Request) -> Reply:
        """GET /secrets"""
        owner, task_id = request.principal.owner, request.one("workflowId")
        binding = list_binding("secrets", owner, task_id.lower())
        asked = page_request(request, binding)
        page = self._secrets.page(owner, task_id, request.one("orgId"), asked)
        return Reply(200, page_json(page, binding, secret_json))

    def put(self, request: Request) -> Reply:
        """PUT /secrets/{name}: 201 new, 204 replaced, both without a body"""
        fields = Fields(json_object(request.body))
        value = fields.text("value", required=True)
        task_id = fields.text("workflowId")
        org_id = fields.text("orgId")
        fields.finish()
        new = self._secrets.put_secret(
            request.principal.owner, request.path["name"], value, task_id, org_id
        )
        return Reply(201 if new else 204)

    def delete(self, request: Request) -> Reply:
        """DELETE /secrets/{name}: 204 whether there was one or not"""
        self._secrets.delete_secret(
            request.principal.owner,
            request.path["name"],
            request.one("workflowId"),
            request.one("orgId"),
        )
        return Reply(204)


def secret_json(info: SecretInfo) -> JsonValue:
    """A Secret without its value."""
    document: dict[str, JsonValue] = {"name": info.name, "scope": info.scope.value}
    optional: dict[str, JsonValue] = {
        "workflowId": info.task_id,
        "createdAt": info.created_at,
        "updatedAt": info.updated_at,
    }
    document.update({name: value for name, value in optional.items() if value})
    return document


def build_app(gate: Gate, secrets: SecretService) -> Application:
    """All routes below /secrets."""
    on = Secrets(secrets)
    app = Application(gate)
    app.add("GET", "/secrets", on.list)
    app.add("PUT", "/secrets/<name>", on.put)
    app.add("DELETE", "/secrets/<name>", on.delete)
    return app
