"""Routes of log-in and health."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from task_engine import __version__
from task_engine.api.application import Application, Gate
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.api.times import rfc3339

if TYPE_CHECKING:
    from task_engine.services.auth import AuthService


def build_app(gate: Gate, login: Callable[[], AuthService], default_chain_id: int) -> Application:
    """`login` gives the service when it is first needed: health must not load curve arithmetic."""

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

    app = Application(gate)
    app.add("GET", "/health", health, public=True)
    app.add("POST", "/auth:exchange", exchange, public=True)
    return app
