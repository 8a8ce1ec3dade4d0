"""Secrets."""

from __future__ import annotations

from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.paging import PAGE_PARAMETERS
from task_engine.api.openapi.shapes import (
    ID,
    MILLISECONDS,
    TEXT,
    closed,
    fields,
    page_of,
    ref,
    words,
)
from task_engine.model.secret import SecretScope
from task_engine.services.secrets import MAX_VALUE_BYTES

_NAME = {
    "type": "string",
    "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,254}$",
    "description": "Templates read it as {{apContext.configVars.NAME}}; not beginning with ap_.",
    "examples": ["shop_key"],
}
_SCOPE = (
    Parameter("workflowId", TEXT, "Secrets of this workflow alone."),
    Parameter("orgId", TEXT, "Organisations are not offered: answers 501."),
)

SECRETS = Resource(
    tag="Secrets",
    description="Values that nodes may use and that no reply ever holds.",
    operations={
        "GET /secrets": Operation(
            "listSecrets",
            "Names of the secrets, ascending",
            {200: Success("A page.", ref("SecretPage"))},
            parameters=(*_SCOPE, *PAGE_PARAMETERS),
            errors=(400, 501),
            event="secrets_list",
        ),
        "PUT /secrets/{name}": Operation(
            "putSecret",
            "Store a secret",
            {201: Success("It is new."), 204: Success("It replaced an older value.")},
            path={"name": _NAME},
            body="PutSecretRequest",
            errors=(400, 404, 413, 501),
            event="secrets_put",
        ),
        "DELETE /secrets/{name}": Operation(
            "deleteSecret",
            "Remove a secret",
            {204: Success("There is none of that name any more.")},
            "Without a workflow: the user's own secret, or else the secret of that name of a "
            "workflow, if just one has it.",
            path={"name": _NAME},
            parameters=_SCOPE,
            errors=(501,),
            event="secrets_delete",
        ),
    },
    schemas={
        "Secret": fields(
            {"name": TEXT, "scope": words(SecretScope)},
            {"workflowId": ID, "createdAt": MILLISECONDS, "updatedAt": MILLISECONDS},
            "A secret without its value.",
        ),
        "SecretPage": page_of("Secret"),
        "PutSecretRequest": closed(
            fields(
                {"value": {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_BYTES}},
                {
                    "workflowId": {"type": ["string", "null"]},
                    "orgId": {"type": ["string", "null"]},
                },
            )
        ),
    },
)
