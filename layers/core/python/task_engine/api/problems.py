"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from task_engine.api.http import Reply
from task_engine.errors import EngineError, InvalidRequest, Problem, Unauthenticated
from task_engine.model.json_value import JsonValue

CONTENT_TYPE = "application/problem+json"
_NEUTRAL = "The service could not answer. Try again later; the request id names this request."


def problem_reply(error: EngineError, request_id: str) -> Reply:
    """The reply for an error; texts of 5xx are neutral unless they were planned for users (501,
    503)."""
    status = error.http_status
    planned = status < 500 or status in (501, 503)
    document = _document(status, error.message if planned else _NEUTRAL, request_id)
    document["code"] = error.stable_code
    if isinstance(error, InvalidRequest) and error.problems:
        document["errors"] = [_entry(problem) for problem in error.problems]
        document["detail"] = _detail(error)
        document["code"] = _code(error)
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if error.retryable:
        headers["Retry-After"] = "1"
    return Reply(status, document, headers, CONTENT_TYPE)


def unexpected_reply(request_id: str) -> Reply:
    """The reply for what nobody foresaw: nothing of the cause leaves the service."""
    return Reply(500, _document(500, _NEUTRAL, request_id), {}, CONTENT_TYPE)


def unknown_route_reply(request_id: str, methods: tuple[str, ...] = ()) -> Reply:
    """The reply for a path or verb that this API does not have, or has by other `methods` only."""
    if methods:
        document = _document(405, f"this path has {', '.join(methods)} only", request_id)
        document["code"] = "METHOD_NOT_ALLOWED"
        return Reply(405, document, {"Allow": ", ".join((*methods, "OPTIONS"))}, CONTENT_TYPE)
    document = _document(404, "there is no such route", request_id)
    document["code"] = "NOT_FOUND"
    return Reply(404, document, {}, CONTENT_TYPE)


def _document(status: int, detail: str, request_id: str) -> dict[str, JsonValue]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request_id,
    }


def _entry(problem: Problem) -> dict[str, JsonValue]:
    return {"code": problem.code, "path": problem.path, "message": problem.message}


def _detail(error: InvalidRequest) -> str:
    """The message with the first few problems, for clients that show nothing else."""
    problems = error.problems
    if problems[0].message in error.message:
        return error.message
    shown = [f"{problem.path} {problem.message}".strip() for problem in problems[:3]]
    more = len(problems) - len(shown)
    listed = "; ".join([*shown, f"and {more} more"] if more > 0 else shown)
    return f"{error.message}: {listed}"


def _code(error: InvalidRequest) -> str:
    """The one code that all problems share, else the error's own."""
    codes = {problem.code for problem in error.problems}
    return codes.pop() if len(codes) == 1 else error.stable_code
