"""The command line as a user has it: the installed entry point against a deployed stage."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.local.login import throw_away_account
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage

pytestmark = pytest.mark.deployed

PROGRAM = Path(sys.executable).with_name("task-engine")
TASK = """
name: add
trigger:
  id: start
  name: start
  type: manual
  config: {lang: json, data: {a: 20, b: 22}}
nodes:
  - id: sum
    name: sum
    type: customCode
    config:
      lang: javascript
      source: |
        console.log("adding");
        return { total: start.data.a + start.data.b };
  - id: twice
    name: twice
    type: customCode
    config: {lang: javascript, source: "return sum.data.total * 2"}
edges:
  - {id: e1, source: start, target: sum}
  - {id: e2, source: sum, target: twice}
"""
FAILING = TASK.replace("return sum.data.total * 2", "throw new Error('no luck')")


@dataclass(frozen=True)
class Cli:
    """The program in a home of its own."""

    home: Path

    def run(self, *arguments: str, given: str = "", **variables: str) -> Outcome:
        """Run it with `given` on standard input."""
        environment = self.environment(variables)
        finished = subprocess.run(
            [PROGRAM, *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=self.home,
            timeout=120,
        )
        return Outcome(finished.returncode, finished.stdout, finished.stderr)

    def on_terminal(self, *arguments: str, answers: Sequence[tuple[str, str]] = ()) -> Outcome:
        """Run it on a terminal of its own; type each answer once its question was asked."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.home)
            variables = self.environment({"TERM": "xterm"})
            os.execve(PROGRAM, [str(PROGRAM), *arguments], variables)  # noqa: S606
        shown, waiting = "", list(answers)
        seen = 0
        while part := _read(terminal):
            shown += part
            if waiting and waiting[0][0] in shown[seen:]:
                seen = len(shown)
                os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
        os.close(terminal)
        return Outcome(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown, "")

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The process's variables: nothing of the developer's own settings."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "COLUMNS": "200",
            **variables,
        }

    def json(self, *arguments: str, given: str = "") -> Any:
        """The document of a command that must succeed."""
        outcome = self.run(*arguments, "--json", given=given)
        assert outcome.code == 0, outcome
        return json.loads(outcome.out)

    def file(self, name: str, content: str) -> str:
        """A file of the user."""
        (self.home / name).write_text(content, encoding="utf-8")
        return name


def _read(terminal: int) -> str:
    """What the terminal shows next, "" once the program has left it (EIO on Linux)."""
    assert select.select([terminal], [], [], 60)[0], "nothing was shown for a minute"
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        return ""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def stranger(tmp_path: Path) -> Cli:
    """The program of somebody who never signed in."""
    return Cli(tmp_path)


@pytest.fixture
def cli(stranger: Cli, stage: LocalStage) -> Cli:
    """The program of somebody who signed in by a key file."""
    key = stranger.home / "key"
    key.write_text(throw_away_account().key.hex() + "\n")
    key.chmod(0o600)
    outcome = stranger.run("login", "--url", stage.base_url, "--key-file", "key")
    assert outcome.code == 0, outcome
    return stranger


def created(cli: Cli, content: str = TASK) -> str:
    """The id of a task made from a YAML file."""
    return str(cli.json("create", cli.file("task.yaml", content))["id"])


def test_login_remembers_the_session_but_never_the_key(cli: Cli) -> None:
    # When
    settings = cli.json("config")
    # Then only the owner can read the file, and the key is not in it
    file = Path(settings["file"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (cli.home / "key").read_text().strip().removeprefix("0x") not in file.read_text()
    assert settings["token"] == "set"
    assert settings["key_file"] == str(cli.home / "key")


def test_login_by_a_variable(stranger: Cli, stage: LocalStage) -> None:
    # Given
    account = throw_away_account()
    # When
    outcome = stranger.run(
        "login", "--url", stage.base_url, "--env", "MY_KEY", "--json", MY_KEY=account.key.hex()
    )
    # Then
    assert outcome.code == 0, outcome
    assert json.loads(outcome.out)["owner"] == account.address


def test_a_refused_token_is_renewed_by_the_remembered_key(cli: Cli) -> None:
    # Given a session that the API does not accept any more
    file = Path(cli.json("config")["file"])
    settings = json.loads(file.read_text())
    file.write_text(json.dumps({**settings, "token": settings["token"][:-4] + "AAAA"}))
    # When
    outcome = cli.run("wallets")
    # Then it works, with a new one
    assert outcome.code == 0, outcome
    assert json.loads(file.read_text())["token"] != settings["token"][:-4] + "AAAA"


def test_create_trigger_and_look(cli: Cli) -> None:
    # Given
    task_id = created(cli)
    # When
    ran = cli.run("trigger", task_id)
    # Then the tree shows every step and its output
    assert ran.code == 0, ran
    assert "✓ sum customCode" in ran.out
    assert '{"total": 42}' in ran.out
    assert "✓ twice customCode" in ran.out
    # And the run can be found by its id alone, and among the task's
    listed = cli.json("executions", task_id)
    shown = cli.json("execution", listed[0]["id"])
    assert [step["id"] for step in shown["steps"]] == ["start", "sum", "twice"]
    assert shown["steps"][2]["output"] == {"data": 84}
    tree = cli.run("execution", listed[0]["id"])
    assert "✓ twice" in tree.out
    assert " ms" in tree.out


def test_an_execution_is_found_without_what_was_remembered(cli: Cli) -> None:
    # Given a run started elsewhere
    task_id = created(cli)
    execution_id = cli.json("trigger", task_id)["id"]
    (cli.home / ".local/state/task-engine/executions.json").unlink()
    # When
    shown = cli.json("execution", execution_id)
    # Then
    assert shown["workflowId"] == task_id
    unknown = cli.run("execution", "01jzzzzzzzzzzzzzzzzzzzzzzz")
    assert unknown.code == 2
    assert "no task of yours" in unknown.err


def test_watching_tells_each_step(cli: Cli) -> None:
    # When
    ran = cli.run("trigger", created(cli), "--watch")
    # Then
    assert ran.code == 0, ran
    assert ran.out.index("✓ sum") < ran.out.index("✓ twice")


def test_a_failed_run_exits_with_1_and_says_why(cli: Cli) -> None:
    # Given
    task_id = created(cli, FAILING)
    # When
    ran = cli.run("trigger", task_id)
    # Then
    assert ran.code == 1, ran
    assert "✗ twice" in ran.out
    assert "no luck" in ran.out
    # And the document is the same under --json
    as_json = cli.run("trigger", task_id, "--json")
    assert as_json.code == 1
    assert json.loads(as_json.out)["status"] == "failed"


def test_logs_follow_a_run_to_its_end(cli: Cli) -> None:
    # Given a run that was started and left
    started = cli.json("trigger", created(cli), "--no-wait")
    # When
    followed = cli.run("logs", "-f", started["executionId"])
    # Then every step is told, with what it logged
    assert followed.code == 0, followed
    assert followed.out.index("✓ start") < followed.out.index("✓ sum")
    assert "    adding" in followed.out
    assert followed.out.splitlines()[-1].endswith("success")
    # And as one JSON document a line
    lines = cli.run("logs", started["executionId"], "--json").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["start", "sum", "twice"]


def test_a_refused_task_tells_every_problem_and_exits_with_3(cli: Cli) -> None:
    # Given three mistakes
    wrong = (
        TASK.replace("id: twice", "id: sum")
        .replace('source: "return sum.data.total * 2"', 'source: ""')
        .replace("target: twice", "target: nowhere")
    )
    file = cli.file("wrong.yaml", wrong)
    # When
    refused = cli.run("create", file)
    # Then each is named with its place
    assert refused.code == 3, refused
    assert refused.out == ""
    problems = json.loads(cli.run("create", file, "--json").err)["error"]["errors"]
    assert len(problems) >= 3
    for problem in problems:
        assert problem["path"] in refused.err
        assert problem["message"] in refused.err
    # And nothing was stored
    assert cli.json("list") == []


def test_pause_resume_export_and_delete(cli: Cli) -> None:
    # Given
    task_id = created(cli)
    # When paused, it does not run
    assert cli.json("pause", task_id)["status"] == "disabled"
    assert cli.run("trigger", task_id).code == 3
    assert cli.json("list", "--status", "disabled")[0]["id"] == task_id
    assert cli.json("resume", task_id)["status"] == "enabled"
    # And its export makes a task that does the same
    exported = cli.run("export", task_id)
    assert exported.code == 0, exported
    again = str(cli.json("create", "-", given=exported.out)["id"])
    assert cli.json("trigger", again)["steps"][2]["output"] == {"data": 84}
    assert cli.run("export", again).out == exported.out
    # And what is deleted is gone
    assert cli.run("delete", task_id).code == 0
    assert [row["id"] for row in cli.json("list")] == [again]
    assert cli.run("show", task_id).code == 3


def test_a_repeated_create_with_a_key_makes_one_task(cli: Cli) -> None:
    # Given
    file = cli.file("task.yaml", TASK)
    # When
    first = cli.json("create", file, "--key", "once")
    again = cli.json("create", file, "--key", "once")
    # Then
    assert first["id"] == again["id"]
    assert len(cli.json("list")) == 1
    # And another task under that key is refused
    other = cli.run("create", file, "--key", "once", "--name", "other")
    assert other.code == 3, other
    assert "IDEMPOTENCY_KEY_REUSED" in other.err


def test_all_tasks_move_to_another_wallet(cli: Cli) -> None:
    # Given two tasks and a second wallet
    for name in ("first", "second"):
        cli.json("create", cli.file("task.yaml", TASK), "--name", name)
    wallet = cli.json("wallets", "--create", "9")["address"]
    # When
    assert cli.run("export", "--all", "-o", "all.json").code == 0
    moved = cli.json("import", "all.json", "--wallet", wallet)
    # Then both are there once more
    assert [(task["name"], task["smartWalletAddress"]) for task in moved] == [
        ("first", wallet),
        ("second", wallet),
    ]
    assert cli.json("trigger", moved[0]["id"])["status"] == "success"
    assert len(cli.json("list")) == 4


def test_a_failed_run_is_tried_again(cli: Cli) -> None:
    # Given
    ended = json.loads(cli.run("trigger", created(cli, FAILING), "--json").out)
    # When
    again = cli.run("rerun", ended["id"], "--json")
    # Then it is a new run of the same task
    assert again.code == 1, again
    assert json.loads(again.out)["workflowId"] == ended["workflowId"]
    assert json.loads(again.out)["index"] == ended["index"] + 1


def test_fees_and_triggers_can_be_asked_without_a_task(cli: Cli) -> None:
    # Given
    file = cli.file("task.yaml", TASK)
    # When, then
    assert cli.json("estimate-fees", file)["executionFee"]["unit"] == "USD"
    assert cli.json("run-trigger", file)["output"] == {"data": {"a": 20, "b": 22}}


def test_secrets_come_by_standard_input_and_are_never_shown(
    cli: Cli, http_server: HttpServer
) -> None:
    # When
    put = cli.run("secrets", "put", "api_key", given="top\nsecret value\n")
    # Then
    assert put.code == 0, put
    listed = cli.run("secrets", "list", "--json")
    assert [row["name"] for row in json.loads(listed.out)] == ["api_key"]
    assert "secret value" not in listed.out + put.out + put.err
    # And an argument is not a way in, nor is nothing
    assert cli.run("secrets", "put", "api_key", "top secret").code == 2
    assert cli.run("secrets", "put", "api_key").code == 2
    # And it can be deleted
    assert cli.run("secrets", "delete", "api_key").code == 0
    assert cli.json("secrets", "list") == []


def test_a_secret_typed_on_a_terminal_is_not_echoed(cli: Cli) -> None:
    # When
    typed = cli.on_terminal(
        "secrets",
        "put",
        "typed",
        answers=[("Value: ", "hush-hush"), ("confirmation: ", "hush-hush")],
    )
    # Then
    assert typed.code == 0, typed
    assert "stored typed" in typed.out
    assert "hush-hush" not in typed.out
    # And a slip of the finger stores nothing
    slipped = cli.on_terminal("delete", "x", answers=[("Delete x?", "n")])
    assert slipped.code != 0, slipped


def test_watching_on_a_terminal_shows_every_node_while_it_runs(cli: Cli) -> None:
    # When
    watched = cli.on_terminal("trigger", created(cli), "--watch")
    # Then nodes that had not ended yet were shown too
    assert watched.code == 0, watched
    assert "waits" in watched.out
    assert "running" in watched.out
    assert "✓ twice" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", watched.out)


def test_wallets_can_be_made_and_chosen(cli: Cli) -> None:
    # Given a second wallet that was chosen
    made = cli.json("wallets", "--create", "7")["address"]
    assert cli.run("config", "--wallet", made).code == 0
    # When a task names none
    task = cli.json("create", cli.file("task.yaml", TASK))
    # Then it runs as that one
    assert task["smartWalletAddress"] == made
    assert len(cli.json("wallets")) == 2


def test_simulate_stores_nothing(cli: Cli) -> None:
    # When
    good = cli.run("simulate", cli.file("task.yaml", TASK), "--json")
    bad = cli.run("simulate", cli.file("failing.yaml", FAILING))
    # Then
    assert good.code == 0, good
    assert json.loads(good.out)["steps"][2]["output"] == {"data": 84}
    assert bad.code == 1, bad
    assert "no luck" in bad.out
    assert cli.json("list") == []


def test_run_node_runs_one_node(cli: Cli) -> None:
    # Given
    node = cli.file(
        "node.yaml",
        "{name: add, type: customCode, config: {lang: javascript, source: 'return n + 1'}}",
    )
    # When
    good = cli.run("run-node", node, "--variables", '{"n": 41}')
    bad = cli.run("run-node", node)
    # Then
    assert good.code == 0, good
    assert "42" in good.out
    assert bad.code == 1, bad
    assert "✗" in bad.out


def test_usage_is_2(cli: Cli, stranger: Cli) -> None:
    assert cli.run("create", "missing.yaml").code == 2
    assert cli.run("create", cli.file("list.json", "[1, 2]")).code == 2
    assert cli.run("create", cli.file("broken.json", '{"a": ')).code == 2
    assert cli.run("trigger", "x", "--data", "{").code == 2
    assert cli.run("nonsense").code == 2
    assert cli.run("trigger", "x", "--no-wait", "--watch").code == 2


def test_without_a_session_a_command_says_how_to_get_one(stranger: Cli) -> None:
    outcome = stranger.run("list")
    assert outcome.code == 2
    assert "task-engine login" in outcome.err


def test_an_api_that_is_not_there_is_4(stranger: Cli) -> None:
    # Given an address where nobody listens
    variables = {"TASK_ENGINE_URL": "http://127.0.0.1:1/api/v1", "TASK_ENGINE_TOKEN": "t"}
    # When
    outcome = stranger.run("list", "--json", **variables)
    # Then
    assert outcome.code == 4, outcome
    assert json.loads(outcome.err)["error"]["code"] == "UNREACHABLE"


def test_a_foreign_token_is_refused_and_not_sent_elsewhere(cli: Cli, stage: LocalStage) -> None:
    # Given a token that is none
    outcome = cli.run("list", TASK_ENGINE_TOKEN="nonsense")
    assert outcome.code == 3, outcome
    assert "task-engine login" in outcome.err
    # And another address: the session of the first is no session there
    elsewhere = cli.run("list", TASK_ENGINE_URL="http://127.0.0.1:1/api/v1")
    assert elsewhere.code == 2
    assert "not signed in" in elsewhere.err


def test_completion_knows_the_commands(stranger: Cli) -> None:
    # When a shell asks what may follow
    outcome = stranger.run(
        _TASK_ENGINE_COMPLETE="complete_bash", COMP_WORDS="task-engine exec", COMP_CWORD="1"
    )
    # Then
    assert sorted(outcome.out.split()) == ["execution", "executions"]
