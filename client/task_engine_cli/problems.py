"""Failures as text for people and as documents for programs."""

from __future__ import annotations

from rich.text import Text

from task_engine_cli.printable import printable
from task_engine_client import ApiError, Unreachable, WaitTimeout
from task_engine_client.document import Json

_SIGN_IN = "the session is not valid any more: task-engine login"


def as_document(error: Exception) -> dict[str, Json]:
    """`{"error": {code, message, …}}`, with every problem that the API listed."""
    if isinstance(error, ApiError):
        return {
            "error": {
                "code": error.code,
                "message": error.detail,
                "status": error.status,
                "requestId": error.request_id,
                "errors": [
                    {"code": entry.code, "path": entry.path, "message": entry.message}
                    for entry in error.errors
                ],
            }
        }
    code = "USAGE"
    if isinstance(error, Unreachable):
        code = "UNREACHABLE"
    elif isinstance(error, WaitTimeout):
        code = "TIMEOUT"
    return {"error": {"code": code, "message": str(error)}}


def as_lines(error: Exception) -> list[Text]:
    """What went wrong, then every problem with its place and code."""
    if not isinstance(error, ApiError):
        return [Text(f"✗ {printable(str(error))}", "red")]
    if error.errors:
        count = len(error.errors)
        counted = "one problem" if count == 1 else f"{count} problems"
        lines = [Text(f"✗ refused ({error.status} {printable(error.code)}): {counted}", "red")]
    else:
        detail = _SIGN_IN if error.status == 401 else error.detail
        lines = [Text(f"✗ {printable(detail)} ({error.status} {printable(error.code)})", "red")]
    for entry in error.errors:
        lines.append(
            Text.assemble(
                "  ",
                (printable(entry.path) or "(the request)", "bold"),
                f" {printable(entry.message)} ",
                (printable(entry.code), "dim"),
            )
        )
    if error.request_id:
        lines.append(Text(f"  request {printable(error.request_id)}", "dim"))
    return lines
