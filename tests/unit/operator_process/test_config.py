"""Settings: file, environment, and everything wrong at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from task_engine.model.shard import Shard

from task_engine_operator.config import ConfigError, KeyConfig, load_config

FILE = """
url = "https://engine.example/api/v1/"
state = "state/operator.db"

[key]
file = "operator.key"

[chains.8453]
rpc_urls = ["https://one.example", "https://two.example"]
confirmations = 3

[chains.1]
rpc_urls = "https://mainnet.example"

[watch]
pause_seconds = 1.5
shard = "2/3"

[metrics]
host = "0.0.0.0"
port = 9999
"""


def write(folder: Path, text: str) -> str:
    path = folder / "operator.toml"
    path.write_text(text)
    return str(path)


def problems(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text), environ)
    return caught.value.problems


def test_a_file_says_everything(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, FILE), {})
    assert config.url == "https://engine.example/api/v1"
    assert config.key == KeyConfig(file=str(tmp_path / "operator.key"))
    assert config.chains[8453].rpc_urls == ("https://one.example", "https://two.example")
    assert config.chains[8453].confirmations == 3
    assert config.chains[1].rpc_urls == ("https://mainnet.example",)
    assert config.state == tmp_path / "state/operator.db"
    assert config.pause_seconds == 1.5
    assert config.shard == Shard(1, 3)
    assert (config.metrics_host, config.metrics_port) == ("0.0.0.0", 9999)  # noqa: S104


def test_the_environment_alone_is_enough() -> None:
    config = load_config(
        "",
        {
            "TASK_ENGINE_URL": "http://127.0.0.1:4566/api/v1",
            "TASK_ENGINE_CHAINS": '{"31337": {"rpcUrls": ["http://127.0.0.1:8545"]}}',
            "TASK_ENGINE_OPERATOR_KEY": "11" * 32,
            "TASK_ENGINE_OPERATOR_METRICS_PORT": "0",
        },
    )
    assert list(config.chains) == [31337]
    assert config.key == KeyConfig(env="TASK_ENGINE_OPERATOR_KEY")
    assert config.metrics_port == 0
    assert config.state == Path("operator.db")


def test_the_environment_is_stronger_than_the_file(tmp_path: Path) -> None:
    environ = {
        "TASK_ENGINE_OPERATOR_CONFIG": write(tmp_path, FILE),
        "TASK_ENGINE_OPERATOR_PAUSE_SECONDS": "0.5",
        "TASK_ENGINE_OPERATOR_SHARD": "1/4",
        "TASK_ENGINE_OPERATOR_STATE": "/var/lib/operator.db",
    }
    config = load_config("", environ)
    assert config.pause_seconds == 0.5
    assert config.shard == Shard(0, 4)
    assert config.state == Path("/var/lib/operator.db")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    # Given a file with a mistake in every part
    text = """
    url = "engine.example"
    colour = "red"
    [key]
    file = "a"
    env = "B"
    [chains.zero]
    rpc_urls = []
    [chains.1]
    rpc_urls = ["ws://secret-token.example"]
    confirmations = -1
    poll = 3
    [chains.5]
    [watch]
    pause_seconds = "soon"
    shard = "4/3"
    [metrics]
    port = 70000
    """
    found = problems(tmp_path, text)
    # Then each is named with its place
    told = "\n".join(found)
    for place in (
        "colour is no setting",
        "url must be",
        "more than one key",
        "chains.zero",
        "chains.1.poll",
        "chains.1.rpc_urls",
        "chains.1.confirmations",
        "chains.5.rpc_urls is missing",
        "watch.pause_seconds",
        "watch.shard",
        "metrics.port",
    ):
        assert place in told
    # And none repeats a URL, which may carry a key
    assert "secret-token" not in told


def test_nothing_at_all_is_told_with_what_is_needed() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("", {})
    told = " ".join(caught.value.problems)
    assert "url is missing" in told
    assert "no key" in told
    assert "no chain" in told


@pytest.mark.parametrize("text", ["url = ", "[key\n", "\x00"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    [problem] = problems(tmp_path, text)
    assert "operator.toml can't be read" in problem


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml can't be read"):
        load_config(str(tmp_path / "nowhere.toml"), {})


@pytest.mark.parametrize("section", ["key", "chains", "watch", "metrics"])
def test_a_section_that_is_no_table(tmp_path: Path, section: str) -> None:
    text = f'url = "https://e.example"\n{section} = 3\n'
    assert any(f"{section} must be a table" in problem for problem in problems(tmp_path, text))
