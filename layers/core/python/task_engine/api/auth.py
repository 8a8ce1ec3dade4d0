"""Routes of log-in, health and the API's description."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from task_engine import __version__
from task_engine.api.access import Access
from task_engine.api.application import Application, Gate
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.api.times import rfc3339

if TYPE_CHECKING:
    from task_engine.services.auth import AuthService

# The page is one file: it may load nothing and be framed by nobody.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_CACHED = {"Cache-Control": "public, max-age=300"}


def build_app(
    gate: Gate, login: Callable[[], AuthService], default_chain_id: int, site: Path
) -> Application:
    """`login` gives the service when it is first needed: health must not load curve arithmetic;
    `site` is the folder of the API's own description."""

    def health(_: Request) -> Reply:
        return Reply(200, {"status": "ok", "version": __version__, "chainId": default_chain_id})

    def exchange(request: Request) -> Reply:
        fields = Fields(json_object(request.body))
        owner = fields.text("ownerAddress", required=True)
        signature = fields.text("signature", required=True)
        message = fields.text("message", required=True)
        fields.finish()
        granted = login().exchange(owner, signature, message)
        return Reply(
            200,
            {
                "token": granted.token,
                "expiresAt": rfc3339(granted.expires_at),
                "subject": granted.subject,
            },
        )

    def openapi(_: Request) -> Reply:
        text = (site / "openapi.json").read_text(encoding="utf-8")
        return Reply(200, headers=_CACHED, text=text)

    def docs(_: Request) -> Reply:
        text = (site / "docs.html").read_text(encoding="utf-8")
        headers = {**_CACHED, "Content-Security-Policy": _PAGE_POLICY}
        return Reply(200, headers=headers, content_type="text/html; charset=utf-8", text=text)

    app = Application(gate)
    app.add("GET", "/health", health, access=Access.PUBLIC)
    app.add("POST", "/auth:exchange", exchange, access=Access.PUBLIC)
    app.add("GET", "/openapi.json", openapi, access=Access.PUBLIC)
    app.add("GET", "/docs", docs, access=Access.PUBLIC)
    return app
