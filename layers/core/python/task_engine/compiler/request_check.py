"""What can be wrong with a create request besides its trigger, nodes and edges."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from task_engine.compiler.naming import RESERVED
from task_engine.compiler.rules import ValidationRules
from task_engine.compiler.schema.base import is_address
from task_engine.config import Limits
from task_engine.errors import Problem
from task_engine.model.json_value import JsonObject, JsonValue

_MOST_LEVELS = 200
_LONGEST_NAME = 255


def document_problems(body: JsonObject, limits: Limits) -> list[Problem]:
    """What makes reading on pointless: too large, too deep, or numbers that are none."""
    problems = list(_value_problems(body))
    if problems:
        return problems
    size = _size(_without_data(body))
    if size > limits.max_task_bytes:
        text = f"a workflow may have {limits.max_task_bytes} bytes at most, this has {size}"
        return [Problem("WORKFLOW_TOO_LARGE", "", text)]
    nodes = body.get("nodes")
    if isinstance(nodes, list) and len(nodes) > limits.max_nodes:
        text = f"a workflow may have {limits.max_nodes} nodes at most, this has {len(nodes)}"
        return [Problem("WORKFLOW_TOO_LARGE", "nodes", text)]
    return []


def _value_problems(body: JsonObject) -> Iterator[Problem]:
    for name, given in body.items():
        stack: list[tuple[JsonValue, int]] = [(given, 2)]
        while stack:
            value, level = stack.pop()
            if isinstance(value, float) and not math.isfinite(value):
                text = "holds a number that is not finite"
                yield Problem("WORKFLOWS_BAD_PAYLOAD", name[:100], text)
                break
            if level > _MOST_LEVELS and isinstance(value, dict | list):
                text = f"is nested more than {_MOST_LEVELS} levels deep"
                yield Problem("WORKFLOWS_BAD_PAYLOAD", name[:100], text)
                break
            if isinstance(value, dict):
                stack.extend((item, level + 1) for item in value.values())
            elif isinstance(value, list):
                stack.extend((item, level + 1) for item in value)


def _without_data(body: JsonObject) -> JsonObject:
    """Manual data has a bound of its own."""
    trigger = body.get("trigger")
    config = trigger.get("config") if isinstance(trigger, dict) else None
    if not isinstance(trigger, dict) or not isinstance(config, dict) or "data" not in config:
        return body
    rest = {key: value for key, value in config.items() if key != "data"}
    return {**body, "trigger": {**trigger, "config": rest}}


def _size(body: JsonObject) -> int:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def variable_problems(body: JsonObject) -> Iterator[Problem]:
    """The runner must be there, and no variable may hide what the engine offers."""
    variables = body.get("inputVariables")
    if not isinstance(variables, dict):
        return
    settings = variables.get("settings")
    path = "inputVariables.settings"
    if not isinstance(settings, dict):
        yield Problem("MISSING_REQUIRED_FIELD", path, "settings is required: an object with runner")
    else:
        runner = settings.get("runner")
        if runner is None or (isinstance(runner, str) and not runner.strip()):
            text = "runner is required: the smart wallet that acts"
            yield Problem("MISSING_REQUIRED_FIELD", f"{path}.runner", text)
        elif not is_address(runner):
            text = "must be an address: 0x and 40 hexadecimal digits"
            yield Problem("INVALID_ADDRESS", f"{path}.runner", text)
        name = settings.get("name")
        if name is not None and (not isinstance(name, str) or len(name) > _LONGEST_NAME):
            text = f"must be a text of {_LONGEST_NAME} characters at most"
            yield Problem("WORKFLOWS_BAD_PAYLOAD", f"{path}.name", text)
    for name in variables:
        if name in RESERVED - {"settings"}:
            text = "is a name of the engine's: choose another name"
            yield Problem("WORKFLOWS_BAD_PAYLOAD", f"inputVariables.{name}", text)


def time_problems(body: JsonObject, rules: ValidationRules) -> Iterator[Problem]:
    """Start and expiry, where they are times at all."""
    start, end = body.get("startAt"), body.get("expiredAt")
    if type(end) is not int or end <= 0:
        return
    least = rules.now_ms + rules.limits.min_expiry_seconds * 1000
    if end < least:
        minutes = (end - rules.now_ms) / 60_000
        text = f"must be at least {rules.limits.min_expiry_seconds // 60} minutes ahead"
        yield Problem("INVALID_REQUEST", "expiredAt", f"{text}, it is {minutes:.1f}")
    if type(start) is int and start >= end:
        yield Problem("INVALID_REQUEST", "startAt", "must be before expiredAt")


def warnings_of(body: JsonObject, rules: ValidationRules) -> Iterator[str]:
    """What is accepted and probably not meant; for a request without problems."""
    trigger, variables = body.get("trigger"), body.get("inputVariables")
    config = trigger.get("config") if isinstance(trigger, dict) else None
    epochs = config.get("epochs") if isinstance(config, dict) else None
    for epoch in epochs if isinstance(epochs, list) else []:
        if isinstance(epoch, int) and epoch <= rules.now_ms:
            yield f"trigger.config.epochs: {epoch} is past and never fires"
    settings = variables.get("settings") if isinstance(variables, dict) else None
    runner = settings.get("runner") if isinstance(settings, dict) else None
    wallet = body.get("smartWalletAddress")
    if wallet and str(wallet).lower() != str(runner).lower():
        yield "smartWalletAddress is not used: inputVariables.settings.runner is what acts"
