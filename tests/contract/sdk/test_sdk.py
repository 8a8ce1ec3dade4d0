"""`@avaprotocol/sdk-js` as npm has it, driven by Node against the deployed stage."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from infra_cdk.local.contracts import load_artifact
from infra_cdk.local.login import TEST_CHAIN, throw_away_account
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from tests.e2e.chains import OnChain

pytestmark = pytest.mark.deployed

SCRIPT = Path(__file__).parent / "scenarios.mjs"
SCENARIOS = re.findall(r"^  async (\w+)\(\)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)

ON_CHAIN = ("policies", "onchain")


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_sdk_works_unchanged(
    stage: LocalStage, http_server: HttpServer, graphql_server: GraphqlServer, name: str
) -> None:
    # Given two owners whom nobody knows yet
    owner = throw_away_account()
    if name == "quotas":
        fill_with_wallets(stage, owner.address)
    given = {
        "BASE_URL": stage.base_url,
        "OWNER": owner.address,
        "OWNER_KEY": "0x" + bytes(owner.key).hex(),
        "STRANGER_KEY": "0x" + bytes(throw_away_account().key).hex(),
        "HTTP_URL": http_server.url.rstrip("/"),
        "GRAPHQL_URL": graphql_server.url,
        **(on_chain(stage, owner) if name in ON_CHAIN else {}),
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


def on_chain(stage: LocalStage, account: LocalAccount) -> dict[str, str]:
    """The owner's wallet with an ether and five of a token, and contracts to use."""
    owner = OnChain(stage, account=account)
    owner.fund()
    owner.mint(5_000_000)
    return {
        "WALLET": owner.wallet,
        "COUNTER": owner.counter,
        "TOKEN": owner.token,
        "COUNTER_ABI": json.dumps(load_artifact("Counter")["abi"]),
        "TOKEN_ABI": json.dumps(load_artifact("TestToken")["abi"]),
    }


def fill_with_wallets(stage: LocalStage, owner: str) -> None:
    """All the wallets that the stage allows on one chain, as rows that were written long ago."""
    wallets = variable_of(stage, "api_wallets", "TABLE_WALLETS")
    most = int(variable_of(stage, "api_wallets", "MAX_WALLETS_PER_CHAIN"))
    client = stage.aws.client("dynamodb")
    rows = [
        {
            "owner": {"S": owner},
            "sk": {"S": f"{TEST_CHAIN}#0x{number:040x}"},
            "salt": {"S": str(number)},
            "factory": {"S": "0x" + "0" * 40},
            "hidden": {"BOOL": False},
        }
        for number in range(1, most)
    ]
    for start in range(0, len(rows), 25):
        puts = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
        left = client.batch_write_item(RequestItems={wallets: puts})["UnprocessedItems"]
        assert not left


def variable_of(stage: LocalStage, function: str, name: str) -> str:
    """A setting that the stack gave to a function."""
    pages = stage.aws.client("lambda").get_paginator("list_functions").paginate()
    handlers = (each for page in pages for each in page["Functions"])
    found = next(each for each in handlers if f".{function}." in each["Handler"])
    return str(found["Environment"]["Variables"][f"TASK_ENGINE_{name}"])


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 8
