"""Whatever JSON arrives, it becomes a draft or a refusal that says where and why."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.rules import ValidationRules
from task_engine.compiler.validate import TaskDraft, validate_task
from task_engine.config import Limits
from task_engine.errors import InvalidRequest
from task_engine.model.codec import plan_from_json, plan_to_json
from task_engine.template.sandbox import syntax_error

RULES = ValidationRules(Limits(), frozenset({11155111}), 1_767_225_600_000, syntax_error)
RUNNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
_CALM = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_WORDS = st.sampled_from(
    "id name type config source target url a b t a.yes {{a.data}} {{ restApi manual cron 0x".split()
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["\ud800", "\0", "{{}}", "{{a.}}", "}}{{", "__proto__", "@every 10m"]),
    _WORDS,
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(_WORDS, st.text(max_size=6)), inner, max_size=4),
    ),
    max_leaves=20,
)


def _sample() -> dict[str, Any]:
    """One task with every trigger-independent part and every type of node."""
    address = "0x" + "ab" * 20
    read = {
        "contractAddress": address,
        "chainId": 11155111,
        "methodCalls": [{"methodName": "decimals"}],
    }
    configs: list[tuple[str, dict[str, Any]]] = [
        ("restApi", {"url": "https://x.org/{{start.data}}", "headers": {"a": "b"}}),
        ("graphql", {"url": "https://x.org", "query": "{a}", "variables": {"a": "b"}}),
        ("customCode", {"lang": "js", "source": "return n0.data"}),
        ("branch", {"conditions": [{"id": "yes", "type": "if", "expression": "n2.data > 1"}]}),
        ("filter", {"inputVariable": "{{n2.data}}", "expression": "value > 1"}),
        ("loop", {"inputVariable": "n4.data", "runner": {"type": "contractRead", "config": read}}),
        ("contractRead", read),
        ("contractWrite", {**read, "value": "1"}),
        ("ethTransfer", {"destination": address, "amount": "1", "chainId": 11155111}),
        ("balance", {"address": address, "chain": "base"}),
        ("await", {"channel": "api", "approvers": [address]}),
    ]
    nodes = [
        {"id": f"n{i}", "name": f"n{i}", "type": kind, "config": config}
        for i, (kind, config) in enumerate(configs)
    ]
    edges = [{"id": f"e{i}", "source": f"n{i}", "target": f"n{i + 1}"} for i in range(10)]
    edges += [
        {"id": "first", "source": "t", "target": "n0"},
        {"id": "arm", "source": "n3.yes", "target": "n10"},
    ]
    return {
        "smartWalletAddress": RUNNER,
        "trigger": {"id": "t", "name": "start", "type": "manual", "config": {"lang": "json"}},
        "nodes": nodes,
        "edges": edges,
        "inputVariables": {"settings": {"runner": RUNNER}, "limit": 3},
        "name": "all",
        "startAt": 0,
        "expiredAt": 0,
        "maxExecution": 1,
    }


_TRIGGERS: list[dict[str, Any]] = [
    {"type": "manual", "config": {"lang": "json", "data": {"a": 1}, "headers": {"a": "b"}}},
    {"type": "fixedTime", "config": {"epochs": [1, 2]}},
    {"type": "cron", "config": {"schedules": ["0 * * * *", "@weekly"], "timezone": "UTC"}},
    {"type": "block", "config": {"interval": 5, "chainId": 11155111}},
    {
        "type": "event",
        "config": {
            "chainId": 11155111,
            "queries": [{"addresses": ["{{settings.runner}}"], "topics": [None]}],
        },
    },
]


def _judged(document: Any) -> None:
    """A draft that compiles, or a refusal with problems that can be sent."""
    before = repr(document)
    draft, refusal = _validated(document)
    if draft is not None:
        plan = compile_definition(draft.definition)
        assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan
    if refusal is not None:
        told = [(p.code, p.path, p.message) for p in refusal.problems]
        assert refusal.message
        assert isinstance(document, dict) is bool(told)
        assert all(code and message for code, _, message in told)
        assert json.dumps(told)
    assert repr(document) == before


def _validated(document: Any) -> tuple[TaskDraft | None, InvalidRequest | None]:
    """Anything but a draft or a refusal fails the test."""
    try:
        return validate_task(document, RULES), None
    except InvalidRequest as error:
        return None, error


def test_the_samples_are_accepted() -> None:
    for trigger in _TRIGGERS:
        draft = validate_task(
            {**_sample(), "trigger": {"id": "t", "name": "start", **trigger}}, RULES
        )
        assert len(draft.definition.nodes) == 11


@given(_JSON)
@_CALM
def test_any_json(document: Any) -> None:
    _judged(document)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_sample(), _JSON)))
@_CALM
def test_any_json_in_the_known_fields(document: Any) -> None:
    _judged(document)


@given(st.sampled_from(_TRIGGERS), st.integers(1, 3), st.data())
@_CALM
def test_a_correct_task_with_something_changed(
    trigger: dict[str, Any], changes: int, data: st.DataObject
) -> None:
    document = copy.deepcopy({**_sample(), "trigger": {"id": "t", "name": "start", **trigger}})
    for _ in range(changes):
        _changed(document, data)
    _judged(document)


def _changed(document: Any, data: st.DataObject) -> None:
    """Something somewhere inside is replaced, removed or added."""
    holders = [*_holders(document)]
    holder = data.draw(st.sampled_from(range(len(holders))))
    place = holders[holder]
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    what = data.draw(st.sampled_from(["replace", "remove", "add"] if keys else ["add"]))
    if what == "add" and isinstance(place, dict):
        place[data.draw(st.one_of(_WORDS, st.text(max_size=5)))] = data.draw(_JSON)
    elif what == "add":
        place.append(data.draw(_JSON))
    elif what == "remove":
        del place[data.draw(st.sampled_from(keys))]
    else:
        place[data.draw(st.sampled_from(keys))] = data.draw(_JSON)


def _holders(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(found for item in value.values() for found in _holders(item))]
    if isinstance(value, list):
        return [value, *(found for item in value for found in _holders(item))]
    return []
