"""The event that an await node waits for, with its templates resolved for this run."""

from __future__ import annotations

import re

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.plan import PlanNode
from task_engine.run.node_runner import RunPorts
from task_engine.run.ports import Run, StepKey
from task_engine.run.scope import build_variables

_TEMPLATED = {
    "addresses": re.compile(r"0[xX][0-9a-fA-F]{40}"),
    "topics": re.compile(r"(?:0x(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})|null)?"),
}
_MARK = "{{"


def awaited_event(ports: RunPorts, run: Run, node: PlanNode) -> JsonObject | None:
    """The node's `chainEvent`, None of one that waits for people.

    Addresses and topics may hold templates. Raises NodeError, INVALID_NODE_CONFIG, for one that
    does not resolve to what it has to be: it must never become a wildcard.
    """
    event = node.config.get("chainEvent")
    if not isinstance(event, dict):
        return None
    listed = event.get("queries")
    queries = [query for query in _list(listed) if isinstance(query, dict)]
    if not any(_MARK in text for query in queries for text in _texts(query)):
        return event
    # Loads the sandbox, which most waits do without.
    from task_engine.template.render import render  # noqa: PLC0415
    from task_engine.template.scope import Scope  # noqa: PLC0415

    plan = ports.plans.plan(run)
    reads = [StepKey(plan.nodes[name].ordinal, name) for name in node.reads if name in plan.nodes]
    loaded = ports.steps.load(run, reads, ())
    scope = Scope(build_variables(plan, node, loaded), limits=ports.limits)

    def resolved(value: JsonValue, field: str) -> JsonValue:
        if not isinstance(value, str) or _MARK not in value:
            return value
        text = render(value, scope, field).text.strip()
        if not text or not _TEMPLATED[field].fullmatch(text):
            raise NodeError(
                f"{field}: {value[:60]} resolves to {text[:80]!r}, which is none",
                code="INVALID_NODE_CONFIG",
            )
        return text

    def of_query(query: dict[str, JsonValue]) -> JsonValue:
        changed = dict(query)
        for field in _TEMPLATED:
            values = query.get(field)
            if isinstance(values, list):
                changed[field] = [resolved(value, field) for value in values]
        return changed

    return {**event, "queries": [of_query(query) for query in queries]}


def _texts(query: dict[str, JsonValue]) -> list[str]:
    found: list[str] = []
    for field in _TEMPLATED:
        found += [value for value in _list(query.get(field)) if isinstance(value, str)]
    return found


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
