"""What the command line does before and after it calls the API."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import pytest
from eth_account import Account
from rich.console import Console

from task_engine_cli.documents import parse_object, read_object
from task_engine_cli.execution_tree import execution_tree
from task_engine_cli.failures import InputError
from task_engine_cli.keys import KeySource
from task_engine_cli.printable import brief, duration, printable
from task_engine_cli.problems import as_document, as_lines
from task_engine_cli.progress import progress_table
from task_engine_cli.settings import (
    Settings,
    effective_settings,
    settings_file,
    store_settings,
    stored_settings,
)
from task_engine_client import ApiError, Edge, Execution, ProblemEntry, SignInUnavailable, Workflow
from task_engine_client.signing import decrypt_keystore

WORKFLOW = Workflow.of(
    {
        "id": "w",
        "name": "diamond",
        "trigger": {"id": "t", "name": "go", "type": "manual"},
        "nodes": [{"id": name, "name": name, "type": "customCode"} for name in "abcd"],
        "edges": [
            {"id": str(number), "source": source, "target": target}
            for number, (source, target) in enumerate(map(tuple, ["ta", "tb", "ac", "bc", "cd"]))
        ],
    }
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a home of their own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(status: str, *steps: str) -> Execution:
    """An execution of the workflow in which these steps ended, 10 ms each."""
    ended = [
        {
            "id": name,
            "name": name,
            "type": "x",
            "success": True,
            "startAt": 1000 + 10 * number,
            "endAt": 1010 + 10 * number,
            "output": {"data": number},
        }
        for number, name in enumerate(steps)
    ]
    return Execution.of({"id": "e", "status": status, "startAt": 1000, "steps": ended})


def drawn(view: object) -> str:
    """What a terminal of 100 columns shows."""
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(view)
    return console.export_text()


def test_settings_are_private_even_when_the_file_was_not(home: Path) -> None:
    # Given a file that everybody could read
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text("{}")
    settings_file().chmod(0o644)
    # When
    store_settings(Settings(url="http://a", token="t"))
    # Then
    assert stat.S_IMODE(settings_file().stat().st_mode) == 0o600
    assert settings_file() == home / ".config/task-engine/config.json"
    assert stored_settings() == Settings(url="http://a", token="t")
    assert list(settings_file().parent.iterdir()) == [settings_file()]


def test_a_relative_configuration_folder_is_ignored(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "somewhere")
    assert settings_file().is_relative_to(home)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "x"))
    assert settings_file() == home / "x/task-engine/config.json"


def test_a_damaged_file_is_named_and_unknown_settings_are_ignored() -> None:
    # Given settings of a later version
    store_settings(Settings(url="http://a"))
    document = json.loads(settings_file().read_text())
    settings_file().write_text(json.dumps({**document, "new": 1, "chain_id": "x"}))
    assert stored_settings() == Settings(url="http://a")
    # And no JSON at all
    settings_file().write_text("{")
    with pytest.raises(InputError, match=r"config\.json"):
        stored_settings()


def test_a_session_belongs_to_its_address() -> None:
    # Given
    store_settings(Settings(url="http://a", token="t", key_file="k", wallet="0x1"))
    # Then another address gets neither the token nor the key
    assert effective_settings({"TASK_ENGINE_URL": "http://b/"}) == Settings(url="http://b")
    assert effective_settings({"TASK_ENGINE_URL": "http://a/"}) == stored_settings()
    assert effective_settings({"TASK_ENGINE_TOKEN": "x"}) == Settings(url="http://a", token="x")


def test_yaml_is_read_as_json_would_be(home: Path) -> None:
    # Given what YAML usually makes something else of
    (home / "a.yaml").write_text("at: 2026-01-02\nlist: [1, 1.5, null]\n7: x\n")
    # Then
    assert read_object(str(home / "a.yaml")) == {
        "at": "2026-01-02",
        "list": [1, 1.5, None],
        "7": "x",
    }


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1]",
        "text",
        "a: [",
        "a: .nan",
        "a: &a [*a]",
        "{a: 1, a: 2}",
        "? [1]\n: x",
        "!!python/object/apply:os.getcwd []",
    ],
)
def test_files_that_hold_no_document_are_refused(home: Path, content: str) -> None:
    (home / "a.yaml").write_text(content)
    with pytest.raises(InputError, match=r"a\.yaml"):
        read_object(str(home / "a.yaml"))


def test_broken_json_is_told_with_its_place(home: Path) -> None:
    (home / "a.json").write_text('{"a": 1,\n "b": }')
    with pytest.raises(InputError, match="line 2"):
        read_object(str(home / "a.json"))
    (home / "a.json").write_text('{"a": 1, "a": 2}')
    with pytest.raises(InputError, match="'a' stands twice"):
        read_object(str(home / "a.json"))


@pytest.mark.parametrize("given", ["{", "[1]", "7", "null"])
def test_options_that_must_be_objects(given: str) -> None:
    with pytest.raises(InputError, match="--variables"):
        parse_object("--variables", given)


def test_a_key_comes_from_a_file_or_a_variable(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given
    (home / "key").write_text("0x12\n")
    (home / "key").chmod(0o644)
    monkeypatch.setenv("MY_KEY", "0x34")
    # Then
    assert KeySource(file="~/key").read() == "0x12"
    assert KeySource(variable="MY_KEY").read() == "0x34"
    # And a key that others can read is worth a warning
    assert "chmod 600" in capsys.readouterr().err
    with pytest.raises(InputError, match="OTHER"):
        KeySource(variable="OTHER").read()
    with pytest.raises(InputError, match="missing"):
        KeySource(file=str(home / "missing")).read()


def test_a_keystore_opens_with_its_password_only() -> None:
    # Given
    account = Account.create()
    content = json.dumps(Account.encrypt(account.key, "right", kdf="pbkdf2", iterations=1000))
    # Then
    assert decrypt_keystore(content, "right") == "0x" + bytes(account.key).hex()
    with pytest.raises(SignInUnavailable, match="password"):
        decrypt_keystore(content, "wrong")


def test_texts_of_others_do_not_steer_the_terminal() -> None:
    assert printable("a\x1b[31mb\r\x07\n\u202e") == "a\ufffd[31mb\ufffd\ufffd\n\ufffd"
    assert brief("a\n  b" * 100, 10) == "a ba ba b…"
    assert brief({"a": "\x1b"}) == '{"a": "\\u001b"}'


def test_durations() -> None:
    assert duration(1000, 1250) == "250 ms"
    assert duration(0, 12_340) == "12.3 s"
    assert duration(5, 1) == "0 ms"
    assert duration(None, 1) == ""


def test_a_refusal_lists_every_problem() -> None:
    # Given
    entries = tuple(ProblemEntry(f"C{n}", f"nodes[{n}]", f"wrong {n} [red]") for n in range(5))
    error = ApiError(400, "INVALID_REQUEST", "no", errors=entries, request_id="r")
    # When
    lines = [line.plain for line in as_lines(error)]
    # Then
    assert lines[0] == "✗ refused (400 INVALID_REQUEST): 5 problems"
    assert lines[1:6] == [f"  nodes[{n}] wrong {n} [red] C{n}" for n in range(5)]
    assert as_document(error)["error"]["errors"][4]["path"] == "nodes[4]"


def test_the_tree_hangs_a_step_below_what_let_it_start() -> None:
    # When the join c waited for b, which ended after a
    text = drawn(execution_tree(run("success", "t", "a", "b", "c", "d"), WORKFLOW.edges))
    # Then
    depth = {
        line.split()[line.split().index("✓") + 1]: line.index("✓")
        for line in text.splitlines()
        if "✓" in line
    }
    assert depth["a"] == depth["b"] > depth["t"]
    assert depth["d"] > depth["c"] > depth["b"]
    assert "+30 ms, 10 ms 3" in text


def test_a_tree_without_edges_or_steps_is_still_a_tree() -> None:
    assert "✓ a" in drawn(execution_tree(run("failed", "t", "a"), ()))
    assert "execution e pending" in drawn(execution_tree(run("pending"), [Edge("x", "t", "a")]))


def test_progress_tells_what_runs_and_what_waits() -> None:
    # Given a run in which only a has ended
    lines = drawn(progress_table(WORKFLOW, run("pending", "t", "a"))).splitlines()
    # Then
    states = {line.split()[1]: line for line in lines[1:5]}
    assert "✓" in states["a"]
    assert "running" in states["b"]
    assert "waits" in states["c"]
    # And afterwards nothing runs any more
    after = drawn(progress_table(WORKFLOW, run("failed", "t", "a")))
    assert "running" not in after
    assert after.count("not run") == 3
