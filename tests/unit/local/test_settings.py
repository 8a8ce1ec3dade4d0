"""What the environment says about the local stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from task_engine.model.chain_setting import parse_chains

from infra_cdk.local.settings import LocalSettings, chain_environment, chain_urls
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


def test_the_stacks_name_stand_ins_for_what_is_known_at_the_start() -> None:
    # Given two chains whose ids begin alike
    chains = {1: "http://127.0.0.1:1", 11: "http://127.0.0.1:2/x"}
    # When the stand-ins of the stacks are replaced
    text = chain_environment(chains, [])["TASK_ENGINE_CHAINS"]
    for stand_in, url in chain_urls(chains).items():
        text = text.replace(stand_in, url)
    # Then
    assert json.loads(text) == {"1": "http://127.0.0.1:1", "11": "http://127.0.0.1:2/x"}
    assert chain_environment([], []) == {}


def test_gas_is_paid_for_on_the_second_chain_that_is_started_here() -> None:
    text = chain_environment([84532], [84532])["TASK_ENGINE_CHAINS"]
    assert parse_chains(text)[84532].paymaster == "verifying"
    assert "paymaster" not in chain_environment([84532], [])["TASK_ENGINE_CHAINS"]


def test_nothing_set_means_free_ports_and_both_test_chains(tmp_path: Path) -> None:
    settings = LocalSettings.from_env({"TASK_ENGINE_LOCAL_DIR": str(tmp_path)})
    assert (settings.emulator_port, settings.chains) == (0, {11155111: "", 84532: ""})
    assert settings.state_root == tmp_path


@pytest.mark.parametrize(
    "environment",
    [
        {"TASK_ENGINE_LOCAL_CHAINS": "none"},
        {"TASK_ENGINE_LOCAL_CHAINS": " , "},
        {"TASK_ENGINE_CHAINS": '{"1": "https://rpc.example"}'},
    ],
)
def test_no_chain_is_started_when_none_is_wanted_or_others_are_named(
    environment: dict[str, str],
) -> None:
    assert LocalSettings.from_env(environment).chains == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "70000"),
        ("CHAINS", "main=http://x"),
        ("CHAINS", "0"),
        ("CHAINS", "5=ws://x"),
        ("CHAINS", '5=http://x/"'),
    ],
)
def test_an_unusable_value_is_named(name: str, value: str) -> None:
    with pytest.raises(StageError, match=f"TASK_ENGINE_LOCAL_{name}"):
        LocalSettings.from_env({f"TASK_ENGINE_LOCAL_{name}": value})


@pytest.mark.parametrize(("text", "enforced"), [("", False), ("false", False), ("true", True)])
def test_permissions_are_enforced_when_asked_for(text: str, enforced: bool) -> None:
    settings = LocalSettings.from_env({"TASK_ENGINE_LOCAL_ENFORCE_PERMISSIONS": text})
    assert settings.enforce_permissions is enforced


def test_half_a_yes_is_refused() -> None:
    with pytest.raises(StageError, match="ENFORCE_PERMISSIONS must be true or false"):
        LocalSettings.from_env({"TASK_ENGINE_LOCAL_ENFORCE_PERMISSIONS": "yes"})
