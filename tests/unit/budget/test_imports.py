"""What each function loads when it starts, by module name: the budget behind the cold start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
NOWHERE = {"aws_xray_sdk", "aiohttp", "boto3", "eth_account", "py_ecc", "pynamodb", "web3"}
NOT_BEHIND_THE_API = {"aws_lambda_powertools", "botocore", "pydantic", "coincurve", "Crypto"}
NOT_WHEN_THE_API_STARTS = {"pydantic", "coincurve", "Crypto", "cronsim"}
# Addresses have checksums, which need Keccak.
CHAIN = {
    "node_contract_read",
    "node_balance",
    "node_contract_write",
    "node_eth_transfer",
    "node_chain_loop",
    "operator",
}
# The functions whose nodes reach the network.
HTTP = {"node_rest_api", "node_graphql_query", "node_loop"}


def loaded_by(function: str) -> set[str]:
    """Top-level modules after importing a handler in a fresh process without settings."""
    code = (
        f"import sys, json; import functions.{function}.handler; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert finished.returncode == 0, finished.stderr
    return set(json.loads(finished.stdout))


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    return {function: loaded_by(function) for function in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_loads_heavy_libraries(loaded: dict[str, set[str]], function: str) -> None:
    assert loaded[function].isdisjoint(NOWHERE)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if not f.startswith("api_")])
def test_functions_behind_the_api_stay_lean(loaded: dict[str, set[str]], function: str) -> None:
    allowed = {"Crypto"} if function in CHAIN else set()
    assert loaded[function].isdisjoint(NOT_BEHIND_THE_API - allowed)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.startswith("api_")])
def test_the_api_loads_schemas_and_curves_only_when_asked(
    loaded: dict[str, set[str]], function: str
) -> None:
    assert loaded[function].isdisjoint(NOT_WHEN_THE_API_STARTS)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f not in HTTP])
def test_only_nodes_that_reach_the_network_load_urllib3(
    loaded: dict[str, set[str]], function: str
) -> None:
    allowed = function in HTTP or function.startswith("api_")
    assert allowed or "urllib3" not in loaded[function]
