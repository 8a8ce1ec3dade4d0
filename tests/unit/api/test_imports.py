"""What the API's modules load before a route needs more."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"pydantic", "coincurve", "Crypto", "boto3", "web3", "aws_xray_sdk", "quickjs"}
_PROGRAM = "import json, sys, task_engine.api.{0}; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize("module", ["auth", "workflows", "executions", "secrets", "wallets"])
def test_routes_load_nothing_heavy(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(module)], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(HEAVY)
