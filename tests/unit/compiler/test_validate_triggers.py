"""Configurations of triggers."""

from __future__ import annotations

import pytest
from task_engine.compiler.validate import validate_trigger
from task_engine.ids import is_id

from tests.unit.compiler.builders import (
    NOW_MS,
    SEPOLIA,
    Json,
    accepted,
    body,
    places,
    refused,
    rules,
    with_trigger,
)

BAD = "INVALID_TRIGGER_CONFIG"
GONE = "MISSING_REQUIRED_FIELD"
ADDRESS = "0x" + "ab" * 20
TOPIC = "0x" + "cd" * 32


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("manual", {}),
        ("manual", {"lang": "JSON", "data": "[1]"}),
        ("manual", {"lang": 2, "data": {"a": 1}}),
        ("manual", {"lang": "js", "data": "no json"}),
        ("manual", {"lang": "json", "data": [1], "headers": {"a": "b"}, "pathParams": {"c": "d"}}),
        ("manual", {"lang": "json", "headers": [{"a": "b"}, {"c": "d"}]}),
        ("manual", {"lang": "LANG_JAVASCRIPT", "data": None}),
        ("fixedTime", {"epochs": [1, NOW_MS + 1]}),
        ("cron", {"schedules": ["*/5 * * * *"]}),
        ("cron", {"schedules": ["0 9 * * MON-FRI", "@weekly"], "timezone": "Asia/Tokyo"}),
        ("cron", {"schedules": ["@every 10m"]}),
        ("block", {"interval": 5, "chainId": SEPOLIA}),
        ("event", {"queries": [{"addresses": [ADDRESS]}], "chainId": SEPOLIA}),
        (
            "event",
            {
                "chainId": SEPOLIA,
                "cooldownSeconds": 0,
                "queries": [
                    {
                        "addresses": [ADDRESS.upper().replace("X", "x", 1)],
                        "topics": [TOPIC, None, "", ADDRESS],
                        "maxEventsPerBlock": 50,
                        "contractAbi": [{"type": "event", "name": "Transfer"}],
                        "conditions": [
                            {"fieldName": "Transfer.value", "operator": "gt", "value": "1"}
                        ],
                        "methodCalls": [{"methodName": "decimals", "callData": "0x313ce567"}],
                    }
                ],
            },
        ),
    ],
)
def test_configurations_that_are_fine(kind: str, config: Json) -> None:
    trigger = accepted(with_trigger(kind, config)).definition.trigger
    assert (trigger.type.value, trigger.config) == (kind, config)


@pytest.mark.parametrize(
    ("kind", "config", "path", "code_word"),
    [
        ("manual", None, "", GONE),
        ("manual", [], "", "WORKFLOWS_BAD_TRIGGER"),
        ("manual", {"lang": "json", "data": ""}, ".data", BAD),
        ("manual", {"lang": "json", "data": "{"}, ".data", BAD),
        ("manual", {"lang": "json", "data": "[" * 100_000}, ".data", BAD),
        ("manual", {"lang": "cobol"}, ".lang", BAD),
        ("manual", {"lang": {}}, ".lang", BAD),
        ("manual", {"headers": {"a": 1}}, ".headers.a", BAD),
        ("manual", {"headers": "a"}, ".headers", BAD),
        ("manual", {"nonsense": 1}, ".nonsense", BAD),
        ("fixedTime", {}, ".epochs", GONE),
        ("fixedTime", {"epochs": []}, ".epochs", BAD),
        ("fixedTime", {"epochs": ["2026-01-01"]}, ".epochs[0]", BAD),
        ("fixedTime", {"epochs": [0]}, ".epochs[0]", BAD),
        ("cron", {}, ".schedules", GONE),
        ("cron", {"schedules": []}, ".schedules", BAD),
        ("cron", {"schedules": ["* * *"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["61 * * * *"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["0 0 30 2 *"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["0 0 * * 1#2"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["0 0 L * *"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["@every 1s"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["@every"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["@sometimes"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["0,1 * * * *"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["*/4 * * * *"]}, ".schedules[0]", BAD),
        ("cron", {"schedules": ["0 * * * *", "1 * * * *"]}, ".schedules", BAD),
        ("cron", {"schedules": ["0 * * * *"], "timezone": "Mars/Olympus"}, ".timezone", BAD),
        ("cron", {"schedules": ["0 * * * *"], "timezone": "../etc/passwd"}, ".timezone", BAD),
        ("block", {"interval": 5}, ".chainId", GONE),
        ("block", {"interval": 0, "chainId": SEPOLIA}, ".interval", BAD),
        ("block", {"interval": 4, "chainId": SEPOLIA}, ".interval", BAD),
        ("block", {"interval": 500, "chainId": 1}, ".chainId", BAD),
        ("block", {"interval": 500, "chainId": "1"}, ".chainId", BAD),
        ("event", {"queries": [], "chainId": SEPOLIA}, ".queries", BAD),
        ("event", {"queries": [{}], "chainId": 5}, ".chainId", BAD),
        (
            "event",
            {"queries": [{"addresses": ["0x1"]}], "chainId": SEPOLIA},
            ".queries[0].addresses[0]",
            "INVALID_ADDRESS",
        ),
        (
            "event",
            {"queries": [{"topics": ["0x1"]}], "chainId": SEPOLIA},
            ".queries[0].topics[0]",
            BAD,
        ),
        (
            "event",
            {
                "queries": [{"conditions": [{"fieldName": "a", "operator": "is", "value": "1"}]}],
                "chainId": SEPOLIA,
            },
            ".queries[0].conditions[0].operator",
            BAD,
        ),
    ],
)
def test_configurations_that_are_refused(
    kind: str, config: Json, path: str, code_word: str
) -> None:
    assert places(with_trigger(kind, config)) == {(f"trigger.config{path}", code_word)}


@pytest.mark.parametrize("kind", ["hourly", "MANUAL", "manual "])
def test_an_unknown_type_is_named(kind: str) -> None:
    assert places(with_trigger(kind, {})) == {("trigger.type", "WORKFLOWS_BAD_TRIGGER_TYPE")}


def test_schedules_that_fire_at_the_same_times_are_one() -> None:
    assert accepted(with_trigger("cron", {"schedules": ["0 * * * *", "@hourly"]}))


def test_the_floor_of_blocks_names_the_least_interval() -> None:
    (problem,) = refused(with_trigger("block", {"interval": 1, "chainId": SEPOLIA}))
    assert "11155111" in problem.message
    assert "at least 5" in problem.message


@pytest.mark.parametrize(
    ("chain", "interval", "fine"),
    [
        (1, 5, True),
        (1, 4, False),
        (8453, 30, True),
        (8453, 5, False),
        (56, 80, True),
        (56, 79, False),
        (777, 60, True),
        (777, 30, False),
    ],
)
def test_the_floor_of_blocks_follows_the_chains_block_time(
    chain: int, interval: int, fine: bool
) -> None:
    given: Json = {"name": "x", "type": "block", "config": {"interval": interval, "chainId": chain}}
    _, problems = validate_trigger(given, {}, rules())
    assert any(problem.path.endswith("interval") for problem in problems) is not fine


def test_manual_data_has_a_bound_of_its_own() -> None:
    large = with_trigger("manual", {"lang": "js", "data": "x" * 1_048_576})
    assert accepted(large).definition.trigger.config["data"]
    large["trigger"]["config"]["data"] += "x"
    assert places(large) == {("trigger.config.data", BAD)}


def test_templates_of_an_event_are_resolved_now() -> None:
    # Given templates in addresses and topics
    config = {
        "chainId": SEPOLIA,
        "queries": [
            {"addresses": ["{{token}}", ADDRESS], "topics": [TOPIC, None, "{{settings.runner}}"]},
            {"addresses": ["{{tokens.map(x => x)[0]}}"]},
        ],
    }
    request = with_trigger("event", config, token=TOPIC[:2] + "12" * 20, tokens=[ADDRESS])
    # When the request is checked
    queries = accepted(request).definition.trigger.config["queries"]
    # Then the task has their values
    runner = request["inputVariables"]["settings"]["runner"]
    assert queries == [
        {"addresses": ["0x" + "12" * 20, ADDRESS], "topics": [TOPIC, None, runner]},
        {"addresses": [ADDRESS]},
    ]


def test_templates_of_an_event_that_resolve_to_nothing_or_nonsense_are_refused() -> None:
    config = {
        "chainId": SEPOLIA,
        "queries": [{"addresses": ["{{nothing}}", "{{word}}"], "topics": ["{{word}}"]}],
    }
    found = places(with_trigger("event", config, word="0x12"))
    path = "trigger.config.queries[0]"
    assert found == {
        (f"{path}.addresses[0]", BAD),
        (f"{path}.addresses[1]", BAD),
        (f"{path}.topics[0]", BAD),
    }


def test_an_event_can_not_make_us_run_scripts_without_end() -> None:
    config = {"chainId": SEPOLIA, "queries": [{"addresses": ["{{[token][0]}}"] * 12}]}
    found = refused(with_trigger("event", config, token=ADDRESS))
    assert [problem.path for problem in found] == [
        "trigger.config.queries[0].addresses[10]",
        "trigger.config.queries[0].addresses[11]",
    ]


def test_a_trigger_by_itself_gets_an_id() -> None:
    given: Json = {"name": "x", "type": "manual", "config": {"data": 1}}
    trigger, problems = validate_trigger(given, {}, rules())
    assert trigger is not None
    assert is_id(trigger.id)
    assert problems == []


@pytest.mark.parametrize("trigger", [{}, {"type": None}, {"type": []}, {"type": {}, "name": []}])
def test_what_is_hardly_a_trigger_is_refused(trigger: Json) -> None:
    assert {path.split(".")[0] for path, _ in places(body(trigger=trigger))} >= {"trigger"}
