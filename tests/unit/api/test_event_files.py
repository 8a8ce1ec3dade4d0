"""The payloads under events/api reach their routes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.api.operator import signed
from tests.unit.api.partner import assertion
from tests.unit.api.world import World

FILES = sorted((Path(__file__).parents[3] / "events" / "api").glob("*.json"))
STATUS = {
    "auth_exchange": 200,
    "docs": 200,
    "executions_count": 200,
    "executions_get": 404,
    "executions_list": 404,
    "executions_rerun": 404,
    "executions_resume": 404,
    "executions_signal": 404,
    "executions_stats": 200,
    "executions_status": 404,
    "executions_stream": 404,
    "health": 200,
    "nodes_run": 200,
    "openapi": 200,
    "operators_checks": 200,
    "operators_heartbeat": 200,
    "operators_list": 200,
    "operators_notices": 202,
    "policies_get": 404,
    "policies_list": 200,
    "policies_prepare": 200,
    "policies_revoke": 404,
    "policies_submit": 400,
    "secrets_delete": 204,
    "secrets_list": 200,
    "secrets_put": 201,
    "tokens_get": 200,
    "triggers_run": 200,
    "userops_get": 404,
    "wallets_create": 201,
    "wallets_hide": 200,
    "wallets_list": 200,
    "wallets_nonce": 200,
    "wallets_withdraw": 400,
    "workflows_count": 200,
    "workflows_create": 201,
    "workflows_delete": 204,
    "workflows_estimate_fees": 200,
    "workflows_executions": 404,
    "workflows_get": 404,
    "workflows_list": 200,
    "workflows_pause": 404,
    "workflows_resume": 404,
    "workflows_simulate": 200,
    "workflows_trigger": 404,
}
"""Of a deployment that holds nothing but the caller's first wallet."""


def test_there_is_a_payload_for_each_route() -> None:
    assert {file.stem for file in FILES} == STATUS.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_a_payload_reaches_its_route(world: World, file: Path) -> None:
    # Given the payload, with a token and a wallet of this deployment
    text = file.read_text(encoding="utf-8").replace("<token>", world.token())
    text = text.replace("<assertion>", assertion(world.clock.ms))
    event = json.loads(text.replace("<wallet>", world.first_wallet()))
    if "X-Operator-Address" in event["headers"]:
        event = signed(event, world.clock.ms)
    # When it is sent to its function
    answer = world.send(event)
    # Then the route answers as for an empty deployment
    assert answer.status == STATUS[file.stem], answer.text
    assert "there is no such route" not in answer.text
