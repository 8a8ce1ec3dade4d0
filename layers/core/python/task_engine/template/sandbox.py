"""JavaScript in QuickJS: the only importer of the engine; no host access, bounded in every way.

Each evaluation has a fresh context, so nothing is left of the one before, and a context that ran
out of memory is never used again. Values go in and come out as JSON: a time limit forbids calls
from inside to Python. Jobs that promises leave behind are never run: there is nothing outside that
could settle one, and a chain of them need not end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import quickjs

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue

_STACK_BYTES = 512 * 1024
_TEMPLATE_MEMORY_BYTES = 32 * 1024 * 1024

# Properties of objects answer to both spellings without being copied: lists and objects are
# wrapped when they are read, one wrapper per object so that identity holds.
BRIDGE = r"""
const __bridge = (() => {
  const wrapped = new WeakMap();
  const plain = /^[A-Za-z0-9_]+$/;
  const upper = (w) => w[0].toUpperCase() + w.slice(1);
  const camel = (k) => k.split('_').filter(Boolean).map((w, i) => i ? upper(w) : w).join('');
  const snake = (k) => k.replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2').toLowerCase();
  const alias = (k) => k.includes('_') ? camel(k) : snake(k);
  const find = (target, key) => Object.keys(target).find((k) => plain.test(k) && alias(k) === key);
  const handler = {
    get(target, key, receiver) {
      if (typeof key === 'string' && !(key in target) && !Array.isArray(target)) {
        const other = find(target, key);
        if (other !== undefined) return wrap(target[other]);
      }
      return wrap(Reflect.get(target, key, receiver));
    },
    has(target, key) {
      return key in target || (typeof key === 'string' && !Array.isArray(target)
        && find(target, key) !== undefined);
    },
  };
  const wrap = (value) => {
    if (typeof value !== 'object' || value === null) return value;
    if (!wrapped.has(value)) wrapped.set(value, new Proxy(value, handler));
    return wrapped.get(value);
  };
  return wrap;
})();
"""


class ScriptLimit(NodeError):
    """A script went beyond its time, memory or stack; `code` is EXECUTION_ENGINE_ERROR."""

    code = "EXECUTION_ENGINE_ERROR"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one evaluation."""

    seconds: float = 1.0
    memory_bytes: int = _TEMPLATE_MEMORY_BYTES


def evaluate(code: str, bindings: Mapping[str, JsonValue], bounds: Bounds | None = None) -> Any:  # noqa: ANN401 - whatever JSON the code answers
    """Run `code`, whose last value is JSON text (or undefined, which is None here).

    `bindings` are globals by name. Raises NodeError with JavaScript's own message, ScriptLimit for
    a limit.
    """
    limits = bounds or Bounds()
    context = quickjs.Context()
    context.set_memory_limit(limits.memory_bytes)
    context.set_max_stack_size(_STACK_BYTES)
    try:
        for name, value in bindings.items():
            context.set(name, context.parse_json(json.dumps(value)))
        context.set_time_limit(limits.seconds)
        text = context.eval(code)
    except quickjs.StackOverflow as error:
        raise ScriptLimit("stack overflow: the script recurses too deeply") from error
    except quickjs.JSException as error:
        raise _failure(str(error), limits) from error
    return json.loads(text) if isinstance(text, str) else None


def _failure(text: str, limits: Bounds) -> NodeError:
    first = text.strip().splitlines()[0] if text.strip() else "the script failed"
    if "InternalError: interrupted" in first:
        return ScriptLimit(f"timeout: the script ran longer than {limits.seconds:g} s")
    if "out of memory" in first:
        megabytes = limits.memory_bytes // (1024 * 1024)
        return ScriptLimit(f"out of memory: the script needs more than {megabytes} MB")
    return NodeError(first)


def syntax_error(kind: str, source: str) -> str | None:
    """JavaScript's message when `source` is no "expression" or no function "body", else None."""
    context = quickjs.Context()
    context.set_memory_limit(_TEMPLATE_MEMORY_BYTES)
    context.set_max_stack_size(_STACK_BYTES)
    context.set_time_limit(1.0)
    body = f"return (\n{source}\n)" if kind == "expression" else source
    try:
        # The constructor parses and runs nothing.
        context.set("source", body)
        context.eval("void new Function(source)")
    except quickjs.JSException as error:
        return str(error).strip().splitlines()[0]
    return None
