"""The engine's API as operators use it: signed requests, failures as the engine's errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import httpx
from task_engine.clock import Clock
from task_engine.errors import EngineError, Forbidden, InvalidRequest, Unavailable
from task_engine.evm.signer import Signer
from task_engine.model.json_value import JsonValue
from task_engine.model.shard import WHOLE, Shard
from task_engine.operator.check_codec import CheckPage, page_from_json
from task_engine.operator.findings import Finding
from task_engine.operator.notices import NoticeWriter
from task_engine.operator.signed_request import Query, signed_headers

_TIMEOUT_SECONDS = 20.0
_MOST_NOTICES = 10
_CHECKS_PER_PAGE = 500


class EngineApi:
    """Implements CheckSource and Notifier over HTTPS, for the checks of `shard`; safe for threads.

    Everything raises Unavailable for what may pass, Forbidden where the engine does not listen to
    this operator, InvalidRequest for other refusals.
    """

    def __init__(
        self,
        url: str,
        signer: Signer,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
        shard: Shard = WHOLE,
    ) -> None:
        self._url = url
        self._signer = signer
        self._clock = clock
        self._shard = shard
        self._writer = NoticeWriter(signer, clock)
        self._http = httpx.Client(timeout=_TIMEOUT_SECONDS, transport=transport)
        self.left_out = 0
        """Notices that no message can hold."""

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def heartbeat(self, version: str, blocks: Mapping[int, int]) -> dict[str, JsonValue]:
        """Say what is watched and how far (last block passed by chain); registers at first."""
        body = {
            "version": version,
            "chains": {str(chain): at for chain, at in blocks.items()},
            "shard": str(self._shard),
        }
        path = f"/operators/{self._signer.address}:heartbeat"
        return self._ask("POST", path, {}, json.dumps(body).encode())

    def page(self, chain_id: int, after: str) -> CheckPage:
        """Implements CheckSource."""
        query = {"chainId": [str(chain_id)], "limit": [str(_CHECKS_PER_PAGE)]}
        if self._shard != WHOLE:
            query["shard"] = [str(self._shard)]
        if after:
            query["after"] = [after]
        return page_from_json(self._ask("GET", f"/operators/{self._signer.address}/checks", query))

    def send(self, findings: Sequence[Finding]) -> None:
        """Implements Notifier: signs each, sends ten at a time."""
        for batch in self._batches(findings):
            body = '{"notices":[' + ",".join(batch) + "]}"
            self._ask("POST", "/operators/notices", {}, body.encode())

    def _batches(self, findings: Sequence[Finding]) -> Iterator[list[str]]:
        batch: list[str] = []
        for finding in findings:
            text = self._writer.message(finding)
            if text is None:
                self.left_out += 1
                continue
            if batch and len(batch) == _MOST_NOTICES:
                yield batch
                batch = []
            batch.append(text)
        if batch:
            yield batch

    def _ask(self, method: str, path: str, query: Query, body: bytes = b"") -> dict[str, JsonValue]:
        headers = signed_headers(self._signer, (method, path, query, body), self._clock.now_ms())
        if body:
            headers["Content-Type"] = "application/json"
        try:
            response = self._http.request(
                method,
                self._url + path,
                params={name: list(values) for name, values in query.items()},
                content=body,
                headers=headers,
            )
        except httpx.TransportError as error:
            text = f"the engine can't be reached: {type(error).__name__}"
            raise Unavailable(text, code="ENGINE_UNREACHABLE") from error
        document = _json(response)
        if response.is_success:
            return document
        raise _failure(response.status_code, document)


def _json(response: httpx.Response) -> dict[str, JsonValue]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _failure(status: int, document: Mapping[str, JsonValue]) -> EngineError:
    """From an RFC 9457 problem document, if it is one."""
    told = document.get("detail") or document.get("title") or f"HTTP status {status}"
    message = f"the engine says: {str(told)[:500]}"
    code = str(document.get("code") or f"HTTP_{status}")
    if status >= 500 or status in (408, 425, 429):
        return Unavailable(message, code=code)
    if status in (401, 403):
        return Forbidden(message, code=code)
    return InvalidRequest(message, code=code)
