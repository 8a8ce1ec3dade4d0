"""Configurations of nodes."""

from __future__ import annotations

import pytest
from task_engine.compiler.validate import validate_node
from task_engine.model.node import Retry
from task_engine.template.sandbox import syntax_error

from tests.unit.compiler.builders import (
    SEPOLIA,
    Json,
    accepted,
    arrows,
    body,
    code,
    node,
    places,
    refused,
    rules,
    with_node,
)

BAD = "INVALID_NODE_CONFIG"
GONE = "MISSING_REQUIRED_FIELD"
ADDRESS = "0x" + "ab" * 20
URL = "https://example.org/"
READ = {
    "contractAddress": ADDRESS,
    "chainId": SEPOLIA,
    "methodCalls": [{"methodName": "decimals", "methodParams": [], "callData": "0x313ce567"}],
}
ABI = [{"type": "function", "name": "decimals", "inputs": []}]
LOOP = {"inputVariable": "{{start.data}}", "runner": {"type": "restApi", "config": {"url": URL}}}


def _if(condition_id: str, **fields: Json) -> dict[str, Json]:
    return {"id": condition_id, "type": "if", "expression": "true", **fields}


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("restApi", {"url": URL}),
        ("restApi", {"url": "{{start.data.url}}", "method": "{{start.data.m}}"}),
        (
            "restApi",
            {
                "url": " HTTP://x ",
                "method": "post",
                "body": '{"a": "{{start.data}}"}',
                "headers": {"Content-Type": "application/json; charset=utf-8"},
                "options": {"summarize": False, "auth": {"provider": "goplus"}},
            },
        ),
        ("restApi", {"url": URL, "body": {"a": 1}, "headers": None}),
        ("graphqlQuery", {"url": URL, "query": "{a}", "variables": {"a": "{{start.data}}"}}),
        ("graphql", {"url": URL, "query": "{a}"}),
        ("customCode", {"source": "return 1"}),
        ("customCode", {"source": "return 1", "lang": "JavaScript"}),
        ("customCode", {"source": "return 1", "lang": 1}),
        (
            "branch",
            {"conditions": [_if("y"), _if("z", type="elseIf"), {"id": "n", "type": "else"}]},
        ),
        ("branch", {"conditions": [_if("y.z", expression=" ")]}),
        ("filter", {"inputVariable": "start.data", "expression": "value > 1"}),
        ("loop", LOOP),
        ("loop", {**LOOP, "iterVar": "item", "executionMode": "PARALLEL", "iterationTimeout": 20}),
        ("loop", {**LOOP, "runner": {"type": "contractRead", "config": READ}}),
        (
            "loop",
            {
                **LOOP,
                "runner": {"type": "graphqlDataQuery", "config": {"url": URL, "query": "{a}"}},
            },
        ),
        ("contractRead", READ),
        ("contractRead", {**READ, "contractAddress": "{{start.data}}", "contractAbi": ABI}),
        ("contractRead", {**READ, "contractAddress": "0X" + "AB" * 20}),
        ("contractWrite", {**READ, "value": "10", "gasLimit": "21000", "isSimulated": True}),
        ("ethTransfer", {"destination": ADDRESS, "amount": "1", "chainId": SEPOLIA}),
        ("ethTransfer", {"destination": ADDRESS, "amount": "max", "chainId": SEPOLIA}),
        ("ethTransfer", {"destination": ADDRESS, "amount": "{{start.data}}", "chainId": SEPOLIA}),
        ("balance", {"address": ADDRESS, "chain": "base-sepolia"}),
        ("balance", {"address": ADDRESS, "chain": 1, "minUsdValueCents": 5}),
        ("balance", {"address": ADDRESS, "chain": "0x1", "tokenAddresses": [ADDRESS, {"id": "x"}]}),
        ("await", {"channel": "telegram", "approvers": [ADDRESS], "prompt": "ok?"}),
        ("await", {"channel": "api", "timeoutSeconds": 0}),
        ("await", {"chainEvent": {"queries": [{}], "chainId": SEPOLIA}, "timeoutSeconds": 600}),
    ],
)
def test_configurations_that_are_fine(kind: str, config: Json) -> None:
    (made,) = accepted(with_node(kind, config)).definition.nodes
    assert made.config == config


@pytest.mark.parametrize(
    ("kind", "config", "path", "code_word"),
    [
        ("restApi", None, "", GONE),
        ("restApi", {}, ".url", GONE),
        ("restApi", {"url": " "}, ".url", GONE),
        ("restApi", {"url": None}, ".url", GONE),
        ("restApi", {"url": "ftp://x"}, ".url", BAD),
        ("restApi", {"url": 5}, ".url", BAD),
        ("restApi", {"url": URL, "method": "TRACE"}, ".method", BAD),
        ("restApi", {"url": URL, "headers": {"a": []}}, ".headers.a", BAD),
        (
            "restApi",
            {
                "url": URL,
                "body": '{"a": {{start}}}',
                "headers": {"content-type": "application/json"},
            },
            ".body",
            BAD,
        ),
        ("restApi", {"url": URL, "nonsense": 1}, ".nonsense", BAD),
        (
            "restApi",
            {"url": URL, "options": {"summarize": True}},
            ".options.summarize",
            "OPTION_UNSUPPORTED",
        ),
        ("restApi", {"url": URL, "options": {"summarize": "yes"}}, ".options.summarize", BAD),
        ("graphqlQuery", {"url": URL}, ".query", GONE),
        ("graphqlQuery", {"url": URL, "query": "x" * 102_401}, ".query", BAD),
        ("customCode", {"lang": "js"}, ".source", GONE),
        ("customCode", {"source": "", "lang": "js"}, ".source", GONE),
        ("customCode", {"source": "ä" * 51_201}, ".source", BAD),
        ("customCode", {"source": "1", "lang": "json"}, ".lang", BAD),
        ("branch", {"conditions": []}, ".conditions", BAD),
        ("branch", {}, ".conditions", GONE),
        ("branch", {"conditions": [None]}, ".conditions[0]", GONE),
        ("branch", {"conditions": [_if("")]}, ".conditions[0].id", GONE),
        ("branch", {"conditions": [_if("y", type="when")]}, ".conditions[0].type", BAD),
        ("branch", {"conditions": [_if("y"), _if("y")]}, "", BAD),
        ("branch", {"conditions": [{"id": "n", "type": "else"}]}, "", BAD),
        ("branch", {"conditions": [_if("y"), _if("n", type="else")]}, ".conditions[1]", BAD),
        ("filter", {"expression": "true"}, ".inputVariable", GONE),
        ("filter", {"inputVariable": "x", "expression": "  "}, ".expression", GONE),
        ("loop", {"runner": LOOP["runner"]}, ".inputVariable", GONE),
        ("loop", {"inputVariable": "x"}, ".runner", GONE),
        ("loop", {**LOOP, "iterVal": "1x"}, ".iterVal", BAD),
        ("loop", {**LOOP, "iterKey": "state"}, ".iterKey", BAD),
        ("loop", {**LOOP, "iterKey": "value"}, "", BAD),
        ("loop", {**LOOP, "runner": {"type": "branch", "config": {}}}, ".runner.type", BAD),
        ("loop", {**LOOP, "runner": {"type": "loop", "config": LOOP}}, ".runner.type", BAD),
        ("loop", {**LOOP, "runner": {"type": "restApi", "config": {}}}, ".runner.config.url", GONE),
        (
            "loop",
            {**LOOP, "runner": {"type": "contractRead", "config": {**READ, "chainId": 1}}},
            ".runner.config.chainId",
            BAD,
        ),
        ("contractRead", {**READ, "chainId": 1}, ".chainId", BAD),
        ("contractRead", {**READ, "chainId": 0}, ".chainId", BAD),
        ("contractRead", {**READ, "chainId": None}, ".chainId", GONE),
        (
            "contractRead",
            {**READ, "contractAddress": "0x12"},
            ".contractAddress",
            "INVALID_ADDRESS",
        ),
        ("contractRead", {**READ, "methodCalls": []}, ".methodCalls", BAD),
        (
            "contractRead",
            {**READ, "contractAbi": ABI, "methodCalls": [{"methodName": "symbol"}]},
            "",
            BAD,
        ),
        (
            "contractWrite",
            {**READ, "methodCalls": [{"methodName": "m", "contractAddress": "x"}]},
            ".methodCalls[0].contractAddress",
            "INVALID_ADDRESS",
        ),
        ("contractWrite", {**READ, "value": "1 ETH"}, ".value", BAD),
        ("contractWrite", {**READ, "callData": "313ce567"}, ".callData", BAD),
        (
            "ethTransfer",
            {"destination": "me", "amount": "1", "chainId": SEPOLIA},
            ".destination",
            "INVALID_ADDRESS",
        ),
        (
            "ethTransfer",
            {"destination": ADDRESS, "amount": "1.5", "chainId": SEPOLIA},
            ".amount",
            BAD,
        ),
        ("ethTransfer", {"destination": ADDRESS, "amount": "1"}, ".chainId", GONE),
        ("balance", {"address": ADDRESS}, ".chain", GONE),
        ("balance", {"address": ADDRESS, "chain": "moon"}, ".chain", BAD),
        ("balance", {"address": ADDRESS, "chain": True}, ".chain", BAD),
        ("balance", {"address": ADDRESS, "chain": 1, "minUsdValue": -1}, ".minUsdValue", BAD),
        ("await", {}, "", BAD),
        ("await", {"channel": "fax"}, ".channel", BAD),
        ("await", {"channel": "api", "chainEvent": {"queries": [{}], "chainId": SEPOLIA}}, "", BAD),
        ("await", {"chainEvent": {"queries": [{}], "chainId": 1}}, ".chainEvent.chainId", BAD),
    ],
)
def test_configurations_that_are_refused(
    kind: str, config: Json, path: str, code_word: str
) -> None:
    assert places(with_node(kind, config)) == {(f"nodes[0].config{path}", code_word)}


def test_the_messages_say_what_to_do() -> None:
    messages = [
        problem.message
        for problem in refused(
            with_node("restApi", {"method": "TRACE", "headers": [], "body": "", "extra": 1})
        )
    ]
    assert messages == [
        "url is required",
        "method must be one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS",
        "extra is not a field here: remove it",
    ]


@pytest.mark.parametrize("kind", ["delay", "RestApi", "NODE_TYPE_LOOP"])
def test_an_unknown_type_is_named(kind: str) -> None:
    assert places(with_node(kind, {})) == {("nodes[0].type", "WORKFLOWS_BAD_NODE")}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"maxAttempts": 5, "backoffSeconds": 60}, Retry(5, 60)),
        ({"maxAttempts": 2}, Retry(2, 1.0)),
        ({}, Retry()),
        (None, None),
    ],
)
def test_retries_are_read(given: Json, made: Retry | None) -> None:
    assert accepted(body(nodes=[code("a", retry=given)])).definition.nodes[0].retry == made


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"maxAttempts": 0}, ".maxAttempts"),
        ({"maxAttempts": 6}, ".maxAttempts"),
        ({"maxAttempts": 1.5}, ".maxAttempts"),
        ({"backoffSeconds": 61}, ".backoffSeconds"),
        ({"backoffSeconds": "1"}, ".backoffSeconds"),
        ({"jitter": 1}, ".jitter"),
        ([], ""),
    ],
)
def test_bad_retries_are_refused(given: Json, path: str) -> None:
    request = body(nodes=[code("a", retry=given)])
    assert places(request) == {(f"nodes[0].retry{path}", "WORKFLOWS_BAD_NODE")}


@pytest.mark.parametrize(
    ("kind", "config", "path"),
    [
        ("customCode", {"source": "return {"}, ".source"),
        ("filter", {"inputVariable": "start.data", "expression": "value >"}, ".expression"),
        ("branch", {"conditions": [_if("y", expression="1 +")]}, ".conditions[0].expression"),
        ("restApi", {"url": URL + "{{start.data +}}"}, ".url"),
        (
            "loop",
            {**LOOP, "runner": {"type": "customCode", "config": {"source": "return ]"}}},
            ".runner.config.source",
        ),
    ],
)
def test_broken_javascript_is_refused(kind: str, config: Json, path: str) -> None:
    allowed = rules(syntax_check=syntax_error)
    assert places(with_node(kind, config), allowed) == {(f"nodes[0].config{path}", BAD)}


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("customCode", {"source": "import { v4 } from 'uuid'\nreturn v4()"}),
        ("customCode", {"source": "return {{start.data}} + 1"}),
        ("customCode", {"source": "const a = '{{start.data}}'; a"}),
        ("filter", {"inputVariable": "start.data", "expression": "if (value) return true"}),
        ("filter", {"inputVariable": "start.data", "expression": "value > {{start.data}}"}),
        ("branch", {"conditions": [_if("y", expression="{{start.data}} > 4")]}),
        ("branch", {"conditions": [_if("y", expression="")]}),
        ("restApi", {"url": URL + "{{start.data.a-b}}"}),
    ],
)
def test_sound_javascript_is_accepted(kind: str, config: Json) -> None:
    assert accepted(with_node(kind, config), rules(syntax_check=syntax_error))


def test_a_large_body_without_templates_is_fine() -> None:
    config = {"url": URL, "body": "x" * 200_000}
    assert accepted(with_node("restApi", config))
    config["body"] += "{{start.data}}"
    assert places(with_node("restApi", config)) == {("nodes[0].config.body", BAD)}


def test_a_node_by_itself() -> None:
    made, problems = validate_node(node("a", "restApi", {"url": URL}), "node", rules())
    assert made is not None
    assert problems == []
    _, problems = validate_node(node("a", "restApi", {}), "node", rules())
    assert [(p.path, p.code) for p in problems] == [("node.config.url", GONE)]


@pytest.mark.parametrize(
    "broken", [{}, {"id": 5}, {"id": "a", "type": []}, {"id": "a", "name": {}}]
)
def test_what_is_hardly_a_node_is_refused(broken: Json) -> None:
    found = places(body(nodes=[broken, code("z")], edges=arrows(("t", "z"))))
    assert all(path.startswith("nodes[0]") for path, _ in found)
