"""Settings from the environment."""

from __future__ import annotations

import pytest
from task_engine.config import Settings
from task_engine.errors import ConfigurationError
from task_engine.model.chain import Chain


def test_names_limits_chains_and_hosts() -> None:
    settings = Settings.from_env(
        {
            "AWS_REGION": "eu-central-1",
            "TASK_ENGINE_STAGE": "prod",
            "TASK_ENGINE_TABLE_TASKS": "tasks",
            "TASK_ENGINE_MAX_NODES": "7",
            "TASK_ENGINE_CHAINS": '{"8453": "https://rpc.example.org"}',
            "TASK_ENGINE_ALLOWED_HOSTS": "127.0.0.1,localhost:8080",
            "TASK_ENGINE_SERVER_VARIABLES": '{"REGION": "eu"}',
        }
    )
    assert (settings.stage, settings.region) == ("prod", "eu-central-1")
    assert settings.name("TABLE_TASKS") == "tasks"
    assert settings.limits.max_nodes == 7
    assert settings.chains == {8453: Chain(8453, rpc_urls=("https://rpc.example.org",))}
    assert "rpc.example.org" not in repr(settings)
    assert settings.allowed_hosts == ("127.0.0.1", "localhost:8080")
    assert settings.server_variables == {"REGION": "eu"}


def test_a_missing_name_is_an_error_only_when_used() -> None:
    settings = Settings.from_env({})
    with pytest.raises(ConfigurationError, match="TASK_ENGINE_TABLE_TASKS"):
        settings.name("TABLE_TASKS")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TASK_ENGINE_MAX_NODES", "many"),
        ("TASK_ENGINE_CHAINS", "[1]"),
        ("TASK_ENGINE_CHAINS", "{"),
        ("TASK_ENGINE_SERVER_VARIABLES", "5"),
    ],
)
def test_an_unusable_value_names_its_setting(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_env({name: value})
