"""The only place where JavaScript runs: QuickJS, with no way out and with every limit set."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.template.bindings import Bindings, bind, to_json
from task_engine.template.failures import ScriptError, limit_exceeded
from task_engine.template.quick import is_quick
from task_engine.template.script_process import run_in_child

_STACK_BYTES = 256 * 1024
_CHILD_STACK_BYTES = 768 * 1024
_DATA_FACTOR = 12
_MAX_JOBS = 10_000
_BIG_NUMBERS = re.compile(r"\b(?:bigCmp|bigGt|bigLt|parseUnit|toBigInt)\b")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FAST = (
    "__v=(0,eval)(__s);"
    "typeof __v==='object'&&__v!==null||typeof __v==='bigint'?1:"
    "typeof __v==='number'&&!isFinite(__v)?'\"'+__v+'\"':JSON.stringify(__v)"
)
_JAVASCRIPT = Path(__file__).parent / "javascript"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an expression gave. `defined` is false for undefined, null, functions and promises;
    a Date comes as its ISO text with `date` set; a BigInt as its decimal text."""

    value: JsonValue
    defined: bool = True
    date: bool = False


@cache
def javascript(name: str) -> str:
    """The text of one of the engine's own JavaScript files."""
    return (_JAVASCRIPT / f"{name}.js").read_text(encoding="utf-8")


@cache
def _engine() -> Any:  # noqa: ANN401
    # The extension itself: the package around it imports thread pools, much of the cold start of
    # a function that needs none.
    import _quickjs  # noqa: PLC0415

    return _quickjs


class Isolate:
    """One fresh context; not to be used after an error, nor by another thread.

    `seconds` is a limit of processor time in which no host function can be called from inside;
    None sets none: then somebody else must hold a deadline.
    """

    def __init__(self, limits: Limits, data_size: int, seconds: float | None) -> None:
        engine = _engine()
        self._memory = limits.script_memory_bytes
        self._error: type[Exception] = engine.JSException
        self._context: Any = engine.Context()
        self._context.set_memory_limit(self._memory + _DATA_FACTOR * data_size)
        self._context.set_max_stack_size(_CHILD_STACK_BYTES if seconds is None else _STACK_BYTES)
        if seconds is not None:
            self._context.set_time_limit(seconds)

    def set_json(self, name: str, text: str) -> None:
        """Make a global of JSON text."""
        if text[:1] == '"' and ("\\u0000" in text or "\\ud" in text):
            # A text by itself would come through Python, which cuts it at NUL.
            self.set_json("__list", f"[{text}]")
            self.run(f"globalThis[{json.dumps(name)}]=__list[0];delete globalThis.__list;0")
            return
        try:
            self._context.set(name, self._context.parse_json(text))
        except self._error as error:
            raise self._problem(error) from error

    def set_text(self, name: str, text: str) -> None:
        """Make a global of a text; lone surrogates are replaced."""
        clean = text if text.isascii() else text.encode("utf-8", "replace").decode()
        if "\0" in clean:
            self.set_json(name, to_json(clean))
        else:
            self._context.set(name, clean)

    def set_host(self, name: str, function: Callable[[int], str]) -> None:
        """Make a global of a host function; only without a time limit."""
        self._context.add_callable(name, function)

    def bind(self, bindings: Bindings) -> None:
        """Make globals of variables, their keys bridged."""
        for name, text in bindings.texts.items():
            self.set_json(name, text)
        if bindings.aliases:
            roots = ",".join(bindings.texts)
            self.run(f"{javascript('bridge')}([{roots}],{json.dumps(bindings.aliases)})")

    def run(self, code: str) -> Any:  # noqa: ANN401
        """Evaluate code of the engine's own; texts, numbers and None come back as they are.

        Raises ScriptError, or NodeError EXECUTION_ENGINE_ERROR for a limit.
        """
        try:
            return self._context.eval(code)
        except self._error as error:
            raise self._problem(error) from error

    def drain(self) -> None:
        """Run the pending jobs of promises, up to a bound."""
        try:
            for _ in range(_MAX_JOBS):
                if not self._context.execute_pending_job():
                    return
        except self._error as error:
            raise self._problem(error) from error
        raise limit_exceeded(f"the script's promises go on after {_MAX_JOBS} steps")

    def call(self, function: Any, *arguments: str | bool) -> Any:  # noqa: ANN401
        """Call a function that `run` gave. Errors as of `run`."""
        try:
            return function(*arguments)
        except self._error as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> NodeError:
        message = str(error).split("\n    at ")[0].removesuffix("\nundefined").strip()
        return named_problem(message, self._memory)


def named_problem(message: str, memory_bytes: int) -> NodeError:
    """The error for a JavaScript message: a limit, or the script's own."""
    if message == "InternalError: interrupted":
        return limit_exceeded("timeout: the JavaScript took too long")
    # When not even the error fits in, QuickJS throws null.
    if message in ("InternalError: out of memory", "null"):
        return limit_exceeded(
            f"out of memory: the JavaScript needs more than {memory_bytes // 2**20} MiB"
        )
    if message.startswith("RangeError: Maximum call stack size exceeded"):
        return limit_exceeded("stack overflow: the JavaScript's calls are nested too deeply")
    return ScriptError(message or "the script threw an empty value")


class Sandbox:
    """Evaluates expressions, each in a context of its own.

    What is sure to end by its time limit runs in this process, everything else in a child that
    is killed at its deadline (see `quick`). `deadline` is a monotonic time.
    """

    def __init__(self, limits: Limits, deadline: float = float("inf")) -> None:
        self._limits = limits
        self._deadline = deadline

    def evaluate(self, expression: str, variables: Mapping[str, JsonValue]) -> Evaluated:
        """The value of an expression over `variables`, of which it sees those that it names.

        Raises ScriptError with JavaScript's message, NodeError EXECUTION_ENGINE_ERROR for a limit.
        """
        _require_size(expression, self._limits)
        bindings = bind(expression, variables)
        seconds = self.seconds(self._limits.template_timeout_ms / 1000)
        if is_quick(expression):
            return _decode(self._evaluate(expression, bindings, seconds))
        return _decode(in_child(lambda: self._evaluate(expression, bindings, None), seconds))

    def run_function_body(
        self,
        source: str,
        variables: Mapping[str, JsonValue],
        *,
        limit_seconds: float,
        quick: bool = False,
    ) -> JsonValue:
        """What `source`, the body of a function, returns, converted to JSON.

        `quick` vouches that the time limit is sure to end it. Errors as of `evaluate`.
        """
        bindings = bind(source, variables)
        seconds = self.seconds(limit_seconds)
        if quick:
            return loads(self._call(source, bindings, seconds))
        return loads(in_child(lambda: self._call(source, bindings, None), seconds))

    def seconds(self, limit: float) -> float:
        """The time left, `limit` at most; raises NodeError when there is none."""
        left = min(limit, self._deadline - time.monotonic())
        if left <= 0:
            raise limit_exceeded("timeout: no time is left for the JavaScript")
        return left

    def _evaluate(self, expression: str, bindings: Bindings, seconds: float | None) -> str:
        isolate = self._isolate(expression, bindings, seconds)
        source = expression.strip()
        isolate.set_text("__s", f"({source}\n)" if source.startswith("{") else source)
        answer = isolate.run(_FAST)
        if answer != 1:
            return "null" if answer is None else str(answer)
        return str(
            isolate.run(f"JSON.stringify([__v instanceof Date,({javascript('convert')}\n)(__v)])")
        )

    def _call(self, source: str, bindings: Bindings, seconds: float | None) -> str:
        isolate = self._isolate(source, bindings, seconds)
        isolate.set_text("__s", source)
        return str(isolate.run(f"JSON.stringify(({javascript('convert')}\n)(new Function(__s)()))"))

    def _isolate(self, source: str, bindings: Bindings, seconds: float | None) -> Isolate:
        isolate = Isolate(self._limits, bindings.size, seconds)
        if _BIG_NUMBERS.search(source):
            isolate.run(javascript("big_numbers"))
        isolate.bind(bindings)
        return isolate


def in_child(work: Callable[[], str], seconds: float) -> str:
    """The text that `work`, which uses isolates, returns in a child killed after `seconds`.

    Raises what `work` raises of ScriptError and NodeError, NodeError EXECUTION_ENGINE_ERROR for
    the deadline.
    """
    _engine()  # loaded once here, not by every child
    return run_in_child(work, seconds, "JavaScript")


def syntax_error(kind: Literal["expression", "body"], source: str) -> str | None:
    """JavaScript's message when `source` can't be parsed, else None; runs nothing of it."""
    isolate = Isolate(Limits(), len(source), 2.0)
    isolate.set_text("__s", source if kind == "body" else f"return (\n{source}\n)")
    try:
        isolate.run("new Function(__s); 0")
    except NodeError as error:
        return error.message
    return None


def loads(text: str) -> JsonValue:
    """JSON from inside; lone surrogates, which no document may hold, are replaced."""
    try:
        value: JsonValue = json.loads(text)
        if "\\ud" in text:
            value = json.loads(_SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        raise ScriptError("the script's result can't be read as JSON") from error
    return value


def _decode(text: str) -> Evaluated:
    value = loads(text)
    if value is None:
        return Evaluated(None, defined=False)
    if isinstance(value, list):
        is_date, inner = value
        return Evaluated(inner, defined=inner is not None, date=is_date is True)
    return Evaluated(value)


def _require_size(source: str, limits: Limits) -> None:
    if len(source) > limits.max_template_bytes:
        raise NodeError(
            f"JavaScript of more than {limits.max_template_bytes // 1024} KiB",
            code="INVALID_NODE_CONFIG",
        )
