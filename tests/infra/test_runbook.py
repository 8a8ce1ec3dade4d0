"""Whoever is woken by an alarm finds a page that says what to do."""

from __future__ import annotations

import re
from pathlib import Path

from infra_cdk.synth import Options, synthesise
from tests.infra.templates import Templates

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook"
PAGE = re.compile(r"What to do: docs/runbook/([a-z-]+)\.md$")
CHAINS = '{"11155111": "https://rpc.test", "84532": "https://other.test"}'


def pages_of(environ: dict[str, str], place: Path) -> dict[str, str]:
    """Pages by the alarms that name them."""
    built = Templates(synthesise("dev", place, Options(bundle=False), environ))
    named = {}
    for alarm in built.resources("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        found = PAGE.search(properties["AlarmDescription"])
        assert found, f"{properties['AlarmName']} names no page"
        named[properties["AlarmName"].removeprefix("task-engine-dev-")] = found[1]
    return named


def test_every_alarm_has_a_page_and_every_page_an_alarm(tmp_path: Path) -> None:
    # Given a stage with everything that alarms may be about
    named = pages_of({"TASK_ENGINE_CHAINS": CHAINS}, tmp_path)
    # Then pages and alarms belong together, and the index names all pages
    pages = {page.stem for page in RUNBOOK.glob("*.md")} - {"README"}
    assert set(named.values()) == pages
    index = (RUNBOOK / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(([a-z-]+)\.md\)", index)) == pages
    # And each dead-letter queue, each chain and each group of functions has alarms of its own
    assert {name for name, page in named.items() if page == "dead-letters"} == {
        f"{queue}DeadLetters"
        for queue in ("Executions", "Notices", "MissedSchedules", "FailedEvents", "MissedEvents")
    }
    for chain in (11155111, 84532):
        assert {f"Chain{chain}Lag", f"Chain{chain}LowFunds"} <= named.keys()
    for group in ("API", "Nodes", "ChainNodes", "Workers", "Operator"):
        assert {f"{group}Errors", f"{group}Throttles"} <= named.keys()


def test_a_page_says_how_to_look_and_how_to_mend() -> None:
    for page in RUNBOOK.glob("*.md"):
        if page.stem != "README":
            headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert headings == ["Look", "Mend"], page.name
