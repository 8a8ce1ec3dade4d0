"""The client on the API's own code, storage in memory."""

from __future__ import annotations

import httpx

from task_engine_client import Client
from tests.unit.api.world import World
from tests.unit.client.service import BASE


def client_of(world: World) -> Client:
    """A client of that world's owner."""

    def answered(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/api/v1")
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        body = request.content.decode() or None
        answer = world.call(request.method, path, body, token="", headers=headers)
        kind = {"Content-Type": answer.headers.get("content-type", "")}
        return httpx.Response(answer.status, text=answer.text, headers=kind)

    http = httpx.Client(transport=httpx.MockTransport(answered))
    return Client(BASE, world.token(), http=http, sleep=lambda _: None)
