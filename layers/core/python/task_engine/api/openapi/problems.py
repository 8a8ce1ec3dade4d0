"""Problem documents (RFC 9457) and the headers of every reply."""

from __future__ import annotations

from http import HTTPStatus

from task_engine.api.openapi.shapes import INT64, TEXT, Schema, fields, several, told

SCHEMAS: dict[str, Schema] = {
    "Problem": fields(
        {
            "type": told(TEXT, "Always about:blank."),
            "title": told(TEXT, "The status in words."),
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
        },
        {
            "detail": told(TEXT, "What is wrong and what to do, for people."),
            "instance": told(TEXT, "The request id, as in X-Request-Id."),
            "code": told(TEXT, "What is wrong, for programs; stable."),
            "errors": several({"$ref": "#/components/schemas/ProblemEntry"}),
        },
        "An error (RFC 9457); errors names everything that is wrong with the request.",
    ),
    "ProblemEntry": fields(
        {
            "code": told(TEXT, "What is wrong, for programs; stable."),
            "path": told(TEXT, "Where, for example nodes[2].config.url; empty = the whole."),
            "message": told(TEXT, "What to do, for people."),
        }
    ),
}

HEADERS: dict[str, Schema] = {
    "X-Request-Id": {
        "description": "Names this request in the logs.",
        "schema": TEXT,
    },
    "X-RateLimit-Limit": {
        "description": "Requests that may come at once.",
        "schema": INT64,
    },
    "X-RateLimit-Remaining": {
        "description": "Requests that are left now.",
        "schema": INT64,
    },
    "X-RateLimit-Reset": {
        "description": "When all of them are back, in seconds since the epoch.",
        "schema": INT64,
    },
    "Retry-After": {
        "description": "Seconds to wait before the same request may succeed.",
        "schema": INT64,
    },
}
_OF_ALL = ("X-Request-Id",)
_COUNTED = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
# The gateway answers these by itself, before or after the function.
_GATEWAY = (413, 504)
_TOLD = {
    400: "The request is not as expected; `errors` names everything that is wrong with it.",
    401: "No token, or one that does not verify.",
    403: "The caller is known, and may not do this.",
    404: "Unknown, or somebody else's: the two are never told apart.",
    409: "The object's state forbids it, or another writer was first.",
    413: "The body is larger than 10 MiB.",
    429: "Too many requests, or a quota is used up.",
    500: "The service failed; nothing of the cause is told.",
    501: "Part of the contract that this deployment does not offer.",
    503: "A service that this one depends on failed in a way that may pass.",
    504: "The answer took longer than the gateway waits.",
}


def _example(status: int) -> Schema:
    document: Schema = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _TOLD[status],
        "instance": "5f0e9c1b-6a83-4d52-9d0f-2b7c4e8a1d36",
    }
    if status == 400:
        message = "url must start with http:// or https://"
        entry = {"code": "INVALID_NODE_CONFIG", "path": "nodes[0].config.url", "message": message}
        document |= {"detail": f"the workflow can't be created: {entry['path']}: {message}"}
        document |= {"code": entry["code"], "errors": [entry]}
    return document


def headers_of(status: int) -> dict[str, Schema]:
    """Headers of a reply, as references."""
    names = [*_OF_ALL, *(() if status in _GATEWAY else _COUNTED)]
    names += ["Retry-After"] if status in (429, 503) else []
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def name_of(status: int) -> str:
    """The name of a status's reply in the document."""
    return HTTPStatus(status).name.title().replace("_", "")


def problem_reply(status: int) -> Schema:
    """What a route answers with an error."""
    return {
        "description": _TOLD[status],
        "headers": headers_of(status),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": _example(status),
            }
        },
    }
