"""What the environment says about the local stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra_cdk.local.settings import LocalSettings, chain_environment
from infra_cdk.local.waiting import StageError


def test_chains_are_started_here_or_reached_elsewhere() -> None:
    # When
    settings = LocalSettings.from_env(
        {
            "TASK_ENGINE_LOCAL_CHAINS": "31337, 5=http://127.0.0.1:8545",
            "TASK_ENGINE_LOCAL_PORT": "80",
        }
    )
    # Then
    assert settings.chains == {31337: "", 5: "http://127.0.0.1:8545"}
    assert settings.emulator_port == 80
    told = chain_environment({31337: "http://127.0.0.1:1"})
    assert json.loads(told["TASK_ENGINE_CHAINS"]) == {"31337": "http://127.0.0.1:1"}


def test_nothing_set_means_free_ports_and_no_chain(tmp_path: Path) -> None:
    settings = LocalSettings.from_env({"TASK_ENGINE_LOCAL_DIR": str(tmp_path)})
    assert (settings.emulator_port, settings.chains) == (0, {})
    assert settings.state_root == tmp_path
    assert chain_environment({}) == {}


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "x"), ("PORT", "70000"), ("CHAINS", "main=http://x")]
)
def test_an_unusable_value_is_named(name: str, value: str) -> None:
    with pytest.raises(StageError, match=f"TASK_ENGINE_LOCAL_{name}"):
        LocalSettings.from_env({f"TASK_ENGINE_LOCAL_{name}": value})
