"""Commands against an HTTP server that answers as the contract says, exit codes included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from task_engine_cli.app import app
from tests.unit.client.api_stub import ApiStub

WALLET = "0x" + "a" * 40
TASK = {
    "name": "n",
    "smartWalletAddress": WALLET,
    "trigger": {"id": "t", "name": "start", "type": "cron", "config": {"schedules": ["@daily"]}},
    "nodes": [],
    "edges": [],
    "inputVariables": {"settings": {"runner": WALLET}},
}
REFUSAL = {"status": 400, "title": "Bad Request", "code": "INVALID_REQUEST", "detail": "no such"}


def run(stub: ApiStub | None, home: Path, *arguments: str, **variables: str) -> Result:
    """A command of somebody who is signed in by variables."""
    known = {"TASK_ENGINE_URL": stub.url, "TASK_ENGINE_TOKEN": "t"} if stub else {}
    environment = {"HOME": str(home), "COLUMNS": "200", **known, **variables}
    return CliRunner().invoke(app, list(arguments), env=environment)


def lines(result: Result) -> list[str]:
    return [line.rstrip() for line in result.stdout.splitlines()]


def test_the_nonce_of_a_wallet(tmp_path: Path) -> None:
    with ApiStub({f"GET /wallets/{WALLET}:getNonce": (200, {"nonce": "7"})}) as stub:
        # When
        plain = run(stub, tmp_path, "wallet", "nonce", WALLET)
        as_json = run(stub, tmp_path, "wallet", "nonce", WALLET, "--chain-id", "5", "--json")
    # Then
    assert (plain.exit_code, lines(plain)) == (0, ["7"])
    assert json.loads(as_json.stdout) == {"nonce": "7"}
    assert stub.seen[1][1].endswith(":getNonce?chainId=5")


@pytest.mark.parametrize(("status", "code"), [("pending", 0), ("confirmed", 0), ("failed", 1)])
def test_a_withdrawal_tells_how_it_stands(tmp_path: Path, status: str, code: int) -> None:
    # Given
    answer = {"status": status, "message": "as it is", "transactionHash": "0xab"}
    with ApiStub({f"POST /wallets/{WALLET}:withdraw": (200, answer)}) as stub:
        # When
        done = run(stub, tmp_path, "wallet", "withdraw", WALLET, "--to", "0xb", "--amount", "max")
    # Then
    assert (done.exit_code, lines(done)) == (code, [status, "as it is", "0xab"])
    assert stub.seen[0][3] == {"recipientAddress": "0xb", "amount": "max", "token": "ETH"}


def test_a_refused_withdrawal_is_3_and_sent_once(tmp_path: Path) -> None:
    # Given a service that can't reach the chain
    problem = {**REFUSAL, "status": 503, "code": "WITHDRAW_UNAVAILABLE"}
    with ApiStub({f"POST /wallets/{WALLET}:withdraw": (503, problem)}) as stub:
        # When
        done = run(stub, tmp_path, "wallet", "withdraw", WALLET, "--to", "0xb", "--amount", "1")
    # Then
    assert done.exit_code == 3
    assert "WITHDRAW_UNAVAILABLE" in done.stderr
    assert len(stub.seen) == 1


def test_a_wallet_is_hidden_and_shown(tmp_path: Path) -> None:
    with ApiStub({f"PATCH /wallets/{WALLET}": (200, {"address": WALLET, "isHidden": True})}) as at:
        hidden = run(at, tmp_path, "wallet", "hide", WALLET)
        run(at, tmp_path, "wallet", "unhide", WALLET)
    assert lines(hidden) == [f"{WALLET} hidden"]
    assert [body for _, _, _, body in at.seen] == [{"isHidden": True}, {"isHidden": False}]


def test_operators_need_no_session(tmp_path: Path) -> None:
    # Given
    operator = {"address": WALLET, "supportedChainIds": [1, 5], "version": "2", "blockNumber": 9}
    with ApiStub({"GET /operators": (200, {"data": [operator]})}) as stub:
        # When
        url = {"TASK_ENGINE_URL": stub.url}
        plain = run(None, tmp_path, "operators", **url)
        as_json = run(None, tmp_path, "operators", "--json", **url)
    # Then
    assert lines(plain)[1].split() == [WALLET, "1,", "5", "2", "9"]
    assert json.loads(as_json.stdout) == [operator]
    assert "authorization" not in stub.seen[0][2]


def test_tokens_are_told_to_partners(tmp_path: Path) -> None:
    # Given
    usdc = {"found": True, "symbol": "USDC", "name": "USD Coin", "decimals": 6, "source": "rpc"}
    answers = {"GET /tokens/0x1": (200, usdc), "GET /tokens/0x2": (200, {"found": False})}
    with ApiStub(answers) as stub:
        # When
        partner = {"TASK_ENGINE_PARTNER_ASSERTION": "a.b.c"}
        known = run(stub, tmp_path, "tokens", "0x1", **partner)
        unknown = run(stub, tmp_path, "tokens", "0x2", **partner)
        nobody = run(stub, tmp_path, "tokens", "0x1", TASK_ENGINE_PARTNER_ASSERTION="")
    # Then
    assert lines(known) == ["USDC USD Coin, 6 decimals (rpc)"]
    assert lines(unknown) == ["unknown token"]
    assert nobody.exit_code == 2
    assert "TASK_ENGINE_PARTNER_ASSERTION" in nobody.stderr
    assert [seen[2]["x-partner-assertion"] for seen in stub.seen] == ["a.b.c", "a.b.c"]


def test_fees_are_listed(tmp_path: Path) -> None:
    # Given
    fees = {
        "chainId": "1",
        "executionFee": {"amount": "0.02", "unit": "USD"},
        "cogs": [{"nodeId": "n", "costType": "gas", "fee": {"amount": "5", "unit": "WEI"}}],
        "valueFee": {"fee": {"amount": "0.03", "unit": "PERCENTAGE"}},
    }
    file = tmp_path / "task.json"
    file.write_text(json.dumps(TASK))
    with ApiStub({"POST /workflows:estimateFees": (200, fees)}) as stub:
        # When
        shown = run(stub, tmp_path, "estimate-fees", str(file), "--chain-id", "1")
    # Then
    assert [line.split() for line in lines(shown)[1:]] == [
        ["the", "run", "0.02", "USD"],
        ["gas", "of", "n", "5", "WEI"],
        ["of", "the", "value", "moved", "0.03", "PERCENTAGE"],
    ]
    assert stub.seen[0][3]["chainId"] == 1


@pytest.mark.parametrize("document", [TASK, TASK["trigger"]])
def test_a_trigger_is_run_from_its_own_file_or_its_tasks(tmp_path: Path, document: Any) -> None:
    # Given
    file = tmp_path / "trigger.json"
    file.write_text(json.dumps(document))
    with ApiStub({"POST /triggers:run": (200, {"success": True, "output": {"data": 5}})}) as stub:
        # When
        shown = run(stub, tmp_path, "run-trigger", str(file), "--variables", '{"a": 1}')
    # Then
    assert (shown.exit_code, lines(shown)) == (0, ["✓ 5"])
    assert stub.seen[0][3] == {"trigger": TASK["trigger"], "triggerInput": {"a": 1}}


def test_a_trigger_that_fails_is_1(tmp_path: Path) -> None:
    file = tmp_path / "trigger.json"
    file.write_text(json.dumps(TASK["trigger"]))
    failed = {"success": False, "error": "nobody watches", "errorCode": "RPC_NODE_ERROR"}
    with ApiStub({"POST /triggers:run": (200, failed)}) as stub:
        shown = run(stub, tmp_path, "run-trigger", str(file))
    assert (shown.exit_code, lines(shown)) == (1, ["✗ nobody watches RPC_NODE_ERROR"])


def test_a_run_is_run_once_more(tmp_path: Path) -> None:
    # Given a failed run of a scheduled task
    answers = {
        "GET /workflows/w": (200, {"id": "w", **TASK}),
        "POST /executions/e:rerun": (202, {"executionId": "f", "status": "pending"}),
    }
    with ApiStub(answers) as stub:
        # When
        again = run(stub, tmp_path, "rerun", "e", "--task", "w", "--no-wait", "--key", "k")
    # Then
    assert (again.exit_code, lines(again)) == (0, ["started f (pending)"])
    assert stub.seen[-1][2]["idempotency-key"] == "k"


def test_a_run_that_stopped_goes_on(tmp_path: Path) -> None:
    answers = {
        "GET /workflows/w": (200, {"id": "w", **TASK}),
        "POST /executions/e:resume": (200, {"id": "e", "workflowId": "w", "status": "pending"}),
        "GET /executions/e": (200, {"id": "e", "workflowId": "w", "status": "success"}),
    }
    with ApiStub(answers) as stub:
        resumed = run(stub, tmp_path, "resume-run", "e", "--task", "w", "--json")
    assert resumed.exit_code == 0
    assert json.loads(resumed.stdout)["status"] == "success"


def test_all_tasks_are_exported_oldest_first_and_imported_as_another_wallet(
    tmp_path: Path,
) -> None:
    # Given two tasks
    rows = [{"id": "b", **TASK, "name": "second"}, {"id": "a", **TASK, "name": "first"}]
    page = {"data": rows, "pageInfo": {"hasNextPage": False, "hasPreviousPage": False}}
    answers = {
        "GET /workflows": (200, page),
        "GET /workflows/a": (200, {**rows[1], "status": "enabled", "createdAt": 1}),
        "GET /workflows/b": (200, rows[0]),
        "POST /workflows": (201, {"id": "c"}),
    }
    file = tmp_path / "all.json"
    with ApiStub(answers) as stub:
        # When
        exported = run(stub, tmp_path, "export", "--all", "-o", str(file))
        moved = run(stub, tmp_path, "import", str(file), "--wallet", "0xnew")
    # Then
    assert (exported.exit_code, moved.exit_code) == (0, 0)
    assert json.loads(file.read_text()) == {
        "tasks": [{**TASK, "name": "first"}, {**TASK, "name": "second"}]
    }
    assert lines(moved) == ["created c first", "created c second"]
    sent = [body for method, _, _, body in stub.seen if method == "POST"]
    assert [body["smartWalletAddress"] for body in sent] == ["0xnew", "0xnew"]
    assert sent[0]["inputVariables"]["settings"]["runner"] == "0xnew"
    assert len({seen[2]["idempotency-key"] for seen in stub.seen if seen[0] == "POST"}) == 2


def test_an_import_tries_every_task_and_tells_which_was_refused(tmp_path: Path) -> None:
    # Given
    file = tmp_path / "two.yaml"
    file.write_text(json.dumps({"tasks": [TASK, {**TASK, "name": "other"}]}))
    with ApiStub({"POST /workflows": (400, REFUSAL)}) as stub:
        # When
        plain = run(stub, tmp_path, "import", str(file))
        as_json = run(stub, tmp_path, "import", str(file), "--json")
    # Then
    assert (plain.exit_code, as_json.exit_code) == (3, 3)
    assert plain.stderr.count("no such") == 2
    assert [row["error"]["code"] for row in json.loads(as_json.stdout)] == ["INVALID_REQUEST"] * 2
    assert len(stub.seen) == 4


@pytest.mark.parametrize("arguments", [["export"], ["export", "w", "--all"], ["import"]])
def test_what_to_take_has_to_be_said(tmp_path: Path, arguments: list[str]) -> None:
    with ApiStub({}) as stub:
        assert run(stub, tmp_path, *arguments).exit_code == 2
    assert stub.seen == []


def test_create_sends_its_key(tmp_path: Path) -> None:
    file = tmp_path / "task.json"
    file.write_text(json.dumps(TASK))
    with ApiStub({"POST /workflows": (201, {"id": "w", "name": "n"})}) as stub:
        made = run(stub, tmp_path, "create", str(file), "--key", "deploy-1")
    assert (made.exit_code, lines(made)) == (0, ["created w n"])
    assert stub.seen[0][2]["idempotency-key"] == "deploy-1"


def _completed(home: Path, words: str, count: int) -> set[str]:
    """What a shell is told may follow."""
    asked = {
        "_TASK_ENGINE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(count),
    }
    result = CliRunner().invoke(app, [], prog_name="task-engine", env={"HOME": str(home), **asked})
    return set(result.stdout.split())


@pytest.mark.parametrize(
    ("words", "count", "expected"),
    [
        ("task-engine wa", 1, {"wallets", "wallet"}),
        ("task-engine wallet ", 2, {"nonce", "withdraw", "hide", "unhide"}),
        ("task-engine secrets p", 2, {"put"}),
        ("task-engine create --k", 2, {"--key"}),
        ("task-engine wallet withdraw --am", 3, {"--amount"}),
        ("task-engine nonsense", 1, set()),
    ],
)
def test_completion_knows_commands_and_options(
    tmp_path: Path, words: str, count: int, expected: set[str]
) -> None:
    assert _completed(tmp_path, words, count) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_a_shell_can_be_printed(tmp_path: Path, shell: str) -> None:
    asked = {"HOME": str(tmp_path), "_TASK_ENGINE_COMPLETE": f"source_{shell}"}
    result = CliRunner().invoke(app, [], prog_name="task-engine", env=asked)
    assert result.exit_code == 0
    assert "task-engine" in result.stdout
