"""Runs a case on the deployed local stage, through the HTTPS API only."""

from __future__ import annotations

from typing import Any

from infra_cdk.local.client import ApiClient
from tests.cases.case import Case, Seen, Servers


def run_deployed(case: Case, servers: Servers, api: ApiClient) -> Seen:
    """The last of the case's runs: blocking, and read back when it is final."""
    for name, value in case.secrets.items():
        api.put_secret(name, value)
    task = api.post("/workflows", case.body(servers, api.wallet))
    shown: dict[str, Any] = {}
    for _ in range(case.runs):
        call = {"triggerType": "manual", "isBlocking": True, **case.call}
        answer = api.post(f"/workflows/{task['id']}:trigger", call)
        shown = api.finished(task["id"], answer["executionId"])
    return Seen(shown)
