"""A small client of the HTTPS API, signed in as one owner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from infra_cdk.local.waiting import StageError, wait_until

Json = Any
FINAL_STATUSES = frozenset({"success", "failed", "error"})


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `body` is the decoded JSON, None when there is none."""

    status: int
    body: Json
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Calls below `base_url` (which ends in `/api/v1`) with `token`; `wallet` is the runner."""

    base_url: str
    token: str = ""
    owner: str = ""
    wallet: str = ""
    http: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(
            maxsize=16, retries=False, timeout=urllib3.Timeout(connect=5, read=120)
        )
    )

    def request(
        self,
        method: str,
        path: str,
        body: Json = None,
        query: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call, whatever its status; a connection that fails raises urllib3's HTTPError."""
        url = self.base_url + path + (f"?{urlencode(query, doseq=True)}" if query else "")
        sent = {"Accept": "application/json", **(headers or {})}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        answer = self.http.request(method, url, body=content, headers=sent)
        return Answer(answer.status, _decoded(answer.data), dict(answer.headers))

    def get(self, path: str, **query: Json) -> Json:
        """The body of a GET; raises StageError unless it succeeded."""
        return _expect(self.request("GET", path, query=query), "GET", path)

    def post(self, path: str, body: Json = None) -> Json:
        """The body of a POST; raises StageError unless it succeeded."""
        return _expect(self.request("POST", path, body), "POST", path)

    def put_secret(self, name: str, value: str) -> None:
        """Store a secret of the owner."""
        path = f"/secrets/{quote(name)}"
        _expect(self.request("PUT", path, {"value": value}), "PUT", path)

    def create_task(self, task: Mapping[str, Json]) -> Json:
        """Create a task of this owner's wallet; what `task` says about the runner wins."""
        variables = {"settings": {"runner": self.wallet}, **task.get("inputVariables", {})}
        return self.post(
            "/workflows",
            {"smartWalletAddress": self.wallet, **task, "inputVariables": variables},
        )

    def trigger(self, task_id: str, *, blocking: bool, **more: Json) -> Json:
        """Trigger a manual task; returns `{executionId, status, …}`."""
        body = {"triggerType": "manual", "isBlocking": blocking, **more}
        return self.post(f"/workflows/{task_id}:trigger", body)

    def execution(self, task_id: str, execution_id: str) -> Json:
        """An execution with its steps."""
        return self.get(f"/executions/{execution_id}", workflowId=task_id)

    def finished(self, task_id: str, execution_id: str, timeout_seconds: float = 60) -> Json:
        """Wait until the execution is final and return it."""

        def final() -> Json:
            path = f"/executions/{execution_id}:getStatus"
            status = self.get(path, workflowId=task_id)["status"]
            return self.execution(task_id, execution_id) if status in FINAL_STATUSES else None

        return wait_until(final, f"execution {execution_id}", timeout_seconds, 0.1)


def _decoded(data: bytes) -> Json:
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _expect(answer: Answer, method: str, path: str) -> Json:
    if not 200 <= answer.status < 300:
        raise StageError(f"{method} {path}: HTTP {answer.status} {json.dumps(answer.body)}")
    return answer.body
