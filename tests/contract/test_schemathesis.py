"""Made-up requests from the committed description: no 5xx, nothing that it does not declare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.stage import LocalStage
from tests.contract.described import DOCUMENT
from tests.contract.test_openapi import TASK

pytestmark = pytest.mark.deployed
# Of each operation and each kind of data; the same ones in every run.
EXAMPLES = 15
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_path(DOCUMENT)
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}


@dataclass(frozen=True)
class Owner:
    """Somebody who has a task and an execution for requests to find."""

    api: ApiClient
    task_id: str
    execution_id: str
    http: requests.Session

    def send(self, case: Case) -> Response:
        return case.call(
            base_url=self.api.base_url,
            session=self.http,
            headers={"Authorization": f"Bearer {self.api.token}"},
            timeout=60,
        )


@pytest.fixture(scope="module")
def owner(stage: LocalStage) -> Iterator[Owner]:
    api = sign_in(ApiClient(stage.base_url))
    task = api.create_task({**TASK, "maxExecution": 1_000_000})
    run = api.trigger(task["id"], blocking=True)
    with requests.Session() as http:
        yield Owner(api, task["id"], run["executionId"], http)


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("mode", GenerationMode)
def test_no_answer_is_undeclared(owner: Owner, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    if mode is GenerationMode.NEGATIVE and not _may_be_wrong(operation):
        mode = GenerationMode.POSITIVE

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def answers_as_declared(case: Case, known: bool) -> None:
        if known:
            _name_what_there_is(case, owner)
        response = owner.send(case)
        assert response.status_code < 500 or _planned(response), response.text
        case.validate_response(response, checks=CHECKS)

    answers_as_declared()


def _planned(response: Response) -> bool:
    """Whether it says that this deployment does not offer something, or has no chain to ask."""
    planned = {"NOT_IMPLEMENTED", "FEES_UNAVAILABLE", "NONCE_UNAVAILABLE", "WITHDRAW_UNAVAILABLE"}
    return response.json().get("code") in planned


def _may_be_wrong(operation: Any) -> bool:
    """Whether there is anything that a request could get wrong."""
    return bool(operation.body) or any(True for _ in operation.iter_parameters())


def _name_what_there_is(case: Case, owner: Owner) -> None:
    """Ids of the owner instead of made-up ones, and a graph that is one: what is made up is then
    looked at more closely."""
    path, query, body = case.path_parameters, case.query, case.body
    if path and "id" in path and case.operation.method.upper() != "DELETE":
        of_task = case.operation.path.startswith("/workflows")
        path["id"] = owner.task_id if of_task else owner.execution_id
    if path and "address" in path:
        path["address"] = owner.api.wallet
    if query and "workflowId" in query:
        query["workflowId"] = owner.task_id
    if isinstance(body, dict) and "nodes" in body:
        _mend(body, owner.api.wallet)


def _mend(body: dict[str, Any], wallet: str) -> None:
    trigger, nodes = body.get("trigger"), body.get("nodes")
    if not isinstance(trigger, dict) or not isinstance(nodes, list):
        return
    trigger.update(id="t", name="start")
    elements = [node for node in nodes if isinstance(node, dict)][:3]
    for place, node in enumerate(elements):
        node.update(id=f"n{place}", name=f"node{place}")
    body["nodes"] = elements
    body["edges"] = [
        {"id": f"e{place}", "source": "t", "target": node["id"]}
        for place, node in enumerate(elements)
    ]
    body["inputVariables"] = {"settings": {"runner": wallet}}
    for name in ("startAt", "expiredAt"):
        body.pop(name, None)
