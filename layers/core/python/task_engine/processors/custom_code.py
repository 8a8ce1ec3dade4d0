"""customCode: the author's JavaScript."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.template.host_functions import host_functions
from task_engine.template.render import bridged_code
from task_engine.template.sandbox import Bounds
from task_engine.template.scope_values import bindings_for
from task_engine.template.script_process import evaluate_in_child
from task_engine.template.script_source import BOUND, Script, prepare

MODULES = ("lodash", "dayjs", "uuid")
_FOLDER = Path(__file__).parent.parent / "template" / "modules"
# Enough for two of the largest requests that crypto.getRandomValues allows.
_RANDOM_BYTES = 131_072
_OWN = frozenset({"state", "console", "crypto", "require"})


class CustomCodeProcessor:
    """Runs the source with the run's variables as globals; its value becomes `<node>.data`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for a source that is missing, too long or names missing variables."""
        source = node.config.get("source")
        if not isinstance(source, str) or not source.strip():
            raise NodeError("source is required", code="MISSING_REQUIRED_FIELD")
        if len(source.encode()) > self._limits.max_template_bytes:
            raise NodeError(
                f"source may have {self._limits.max_template_bytes} bytes at most",
                code="INVALID_NODE_CONFIG",
            )
        script = prepare(source, scope)
        bindings, _ = bindings_for(script.source, scope)
        bindings = {name: value for name, value in bindings.items() if name not in _OWN}
        state = self._state(script, scope)
        answer = evaluate_in_child(
            _program(script, bindings),
            {**bindings, BOUND: script.bound, **_extras(script), "__state": state or {}},
            self._bounds(scope),
        )
        return _outcome(answer, scope)

    def replay_safe(self, node: PlanNode) -> bool:
        """A script has no effects but on `state`, which is written once, after it has ended."""
        return "state" not in str(node.config.get("source", ""))

    def _state(self, script: Script, scope: Scope) -> dict[str, JsonValue] | None:
        if scope.state is None or "state" not in script.source:
            return None
        return scope.state.load()

    def _bounds(self, scope: Scope) -> Bounds:
        left = scope.deadline - time.monotonic()
        seconds = max(0.1, min(float(self._limits.script_timeout_seconds), left))
        return Bounds(seconds, self._limits.script_memory_bytes)


def _outcome(answer: JsonValue, scope: Scope) -> Outcome:
    if not isinstance(answer, dict):
        raise NodeError("the script gave no answer", code="EXECUTION_ENGINE_ERROR")
    log = "\n".join(str(line) for line in _list(answer.get("log")))
    if "error" in answer:
        error = StepError("INVALID_REQUEST", str(answer["error"]))
        return Outcome(has_data=False, error=error, log=log)
    changes = answer.get("changes")
    if scope.state is not None and isinstance(changes, dict) and changes:
        scope.state.save(changes)
    return Outcome(data=answer.get("value"), log=log)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _extras(script: Script) -> dict[str, JsonValue]:
    """Modules and randomness, only where the source mentions them."""
    modules = {name: _module(name) for name in MODULES if name in script.source}
    extras: dict[str, JsonValue] = {"__modules": dict(modules)}
    if "uuid" in modules or "crypto" in script.source:
        extras["__random"] = base64.b16encode(os.urandom(_RANDOM_BYTES)).decode()
    return extras


@lru_cache(maxsize=len(MODULES))
def _module(name: str) -> str:
    return (_FOLDER / f"{name}.js").read_text(encoding="utf-8")


def _program(script: Script, bindings: Mapping[str, JsonValue]) -> str:
    bridged = bridged_code(dict(bindings))
    source = json.dumps(script.source)
    run = f"new Function({source})()" if script.body else f"(0, eval)({source})"
    return f"{host_functions(script.source)}{bridged}{_HOST}\n__answer(() => {run});"


_HOST = r"""
const __log = [];
const __changes = {};
const __text = (v) => typeof v === 'string' ? v : v instanceof Error ? String(v)
  : typeof v === 'object' && v !== null ? JSON.stringify(__json(v)) : String(v);
const __write = (...values) => { __log.push(values.map(__text).join(' ')); };
globalThis.console = { log: __write, info: __write, warn: __write, error: __write, debug: __write };
globalThis.state = {
  get: (key) => Object.hasOwn(__changes, key) ? __changes[key]
    : Object.hasOwn(__state, key) ? __state[key] : undefined,
  set: (key, value) => {
    if (typeof key !== 'string' || !key) throw new TypeError('state.set needs a name');
    __changes[key] = __json(value);
  },
  list: (prefix = '') => [...new Set([...Object.keys(__state), ...Object.keys(__changes)])]
    .filter((key) => key.startsWith(prefix)).sort(),
};
let __used = 0;
globalThis.crypto = {
  getRandomValues: (array) => {
    if (array.byteLength > 65536) throw new RangeError('getRandomValues gives 65536 bytes at most');
    if (typeof __random === 'undefined' || __used + array.byteLength > __random.length / 2) {
      throw new RangeError('crypto has no more random bytes for this run');
    }
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i += 1, __used += 1) {
      bytes[i] = parseInt(__random.substr(__used * 2, 2), 16);
    }
    return array;
  },
};
const __loaded = {};
globalThis.require = (name) => {
  if (!Object.hasOwn(__modules, name)) throw new Error(`module '${name}' is not available`);
  if (!Object.hasOwn(__loaded, name)) {
    const module = { exports: {} };
    new Function('module', 'exports', 'require', __modules[name])(module, module.exports, require);
    __loaded[name] = module.exports;
  }
  return __loaded[name];
};
globalThis.__default = (module) => module && module.default !== undefined ? module.default : module;
const __json = (value, above = []) => {
  switch (typeof value) {
    case 'bigint': return value.toString();
    case 'number': return Number.isFinite(value) ? value : 0;
    case 'string': case 'boolean': return value;
    case 'object': break;
    default: return null;
  }
  if (value === null || value instanceof Promise) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (above.includes(value)) throw new TypeError('the result contains itself');
  const inside = [...above, value];
  if (value instanceof ArrayBuffer) return Array.from(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) return Array.from(value, (item) => __json(item));
  if (Array.isArray(value)) return value.map((item) => __json(item, inside));
  if (value instanceof Set) return Array.from(value, (item) => __json(item, inside));
  const entries = value instanceof Map ? value.entries() : Object.entries(value);
  return Object.fromEntries(Array.from(entries, ([key, item]) => [key, __json(item, inside)]));
};
const __answer = (run) => {
  try {
    return JSON.stringify({ value: __json(run()), log: __log, changes: __changes });
  } catch (error) {
    if (error instanceof InternalError || error instanceof RangeError) throw error;
    return JSON.stringify({ error: String(error), log: __log });
  }
};
"""
