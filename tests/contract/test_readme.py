"""What the README tells a newcomer to type does what it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from string import Template
from typing import Any

import pytest
import urllib3

from infra_cdk.local.client import ApiClient
from infra_cdk.local.stage import LocalStage

pytestmark = pytest.mark.deployed

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_task_by_curl(stage: LocalStage, api: ApiClient) -> None:
    create, trigger, read = requests(block("With curl"))
    given = {"URL": stage.base_url, "TOKEN": api.token, "RUNNER": api.wallet}
    given["ID"] = curl(create, given)["id"]
    given["EXECUTION"] = curl(trigger, given)["executionId"]
    assert answer_of(curl(read, given)) == 42


def test_the_first_request_about_a_chain(stage: LocalStage, api: ApiClient) -> None:
    [balance] = requests(block("On chain ("))
    given = {"URL": stage.base_url, "TOKEN": api.token, "RUNNER": api.wallet}
    result = curl(balance, given)
    assert result["success"], result


def test_the_first_task_by_sdk(stage: LocalStage, api: ApiClient) -> None:
    # The script stands below the project, so that Node finds the installed package
    script = block("With the public SDK").replace("console.log(", "report(")
    script += "\nfunction report(value) { process.stdout.write(JSON.stringify(value)); }\n"
    given = {"URL": stage.base_url, "TOKEN": api.token, "RUNNER": api.wallet}
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", script],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert answer_of(json.loads(done.stdout)) == 42


def block(sentence: str) -> str:
    """The code that follows the line which begins so."""
    found = re.search(rf"^{re.escape(sentence)}.*?^```\w+\n(.*?)^```", README, re.S | re.M)
    assert found is not None, f"the README has no code after {sentence!r}"
    return found[1]


def requests(script: str) -> list[list[str]]:
    """The arguments of each `curl` of a shell script, variables as they stand."""
    words = shlex.split(script.replace("\\\n", " "), comments=True)
    calls: list[list[str]] = []
    for word in words:
        if word == "curl":
            calls.append([])
        elif not re.match(r"[A-Z]+=", word):
            calls[-1].append(word)
    return calls


def curl(arguments: list[str], given: dict[str, str]) -> Any:
    """What the request brings, sent without curl, which a machine may not have."""
    told = [Template(word).substitute(given) for word in arguments if word != "-s"]
    url, options = told[0], list(zip(told[1::2], told[2::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    body = next((value for option, value in options if option == "-d"), None)
    method = "GET" if body is None else "POST"
    answer = urllib3.request(method, url, headers=headers, body=body, retries=False, timeout=60)
    assert answer.status < 300, answer.data
    return answer.json()


def answer_of(execution: dict[str, Any]) -> object:
    """The output of the node after the trigger."""
    return execution["steps"][1]["output"]["data"]
