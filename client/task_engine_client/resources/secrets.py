"""Secrets: put, list, delete; no call ever reads a value."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from task_engine_client.document import given
from task_engine_client.paging import Page, all_rows
from task_engine_client.records import Secret
from task_engine_client.transport import Transport


class Secrets:
    """Calls below /secrets; each raises ApiError and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put(self, name: str, value: str, *, workflow_id: str = "") -> None:
        """Store or replace a secret: of the owner, or of one workflow."""
        body = given([("value", value), ("workflowId", workflow_id or None)])
        self._transport.send("PUT", _path(name), body)

    def page(
        self, *, workflow_id: str = "", after: str = "", before: str = "", limit: int | None = None
    ) -> Page[Secret]:
        """One page, by name."""
        query = {"workflowId": workflow_id, "after": after, "before": before, "limit": limit}
        return Page.of(self._transport.send("GET", "/secrets", query=query), Secret.of)

    def all(self, *, workflow_id: str = "", limit: int = 200) -> Iterator[Secret]:
        """Every secret, `limit` a page."""
        return all_rows(
            lambda cursor: self.page(workflow_id=workflow_id, after=cursor, limit=limit)
        )

    def delete(self, name: str, *, workflow_id: str = "") -> None:
        """Remove a secret; an unknown name is no error."""
        self._transport.send("DELETE", _path(name), query={"workflowId": workflow_id})


def _path(name: str) -> str:
    return f"/secrets/{quote(name, safe='')}"
