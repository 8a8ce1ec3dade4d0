"""`@avaprotocol/sdk-js` as npm has it, driven by Node against the deployed stage."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from infra_cdk.local.login import throw_away_account
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage

pytestmark = pytest.mark.deployed

SCRIPT = Path(__file__).parent / "scenarios.mjs"
SCENARIOS = re.findall(r"^  async (\w+)\(\)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_sdk_works_unchanged(
    stage: LocalStage, http_server: HttpServer, graphql_server: GraphqlServer, name: str
) -> None:
    # Given two owners whom nobody knows yet
    given = {
        "BASE_URL": stage.base_url,
        "OWNER_KEY": "0x" + bytes(throw_away_account().key).hex(),
        "STRANGER_KEY": "0x" + bytes(throw_away_account().key).hex(),
        "HTTP_URL": http_server.url.rstrip("/"),
        "GRAPHQL_URL": graphql_server.url,
    }
    # When the SDK does what the scenario says
    done = subprocess.run(
        ["node", str(SCRIPT), name],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # Then every expectation in it holds
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 8
