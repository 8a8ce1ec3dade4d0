"""Custom code in a child process: what it gets, what comes back."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.template.bindings import Bindings, bind, to_json
from task_engine.template.failures import limit_exceeded
from task_engine.template.quick import is_quick_body
from task_engine.template.sandbox import (
    Isolate,
    Sandbox,
    in_child,
    javascript,
    loads,
    named_problem,
)
from task_engine.template.scope import Scope
from task_engine.template.script_source import Script
from task_engine.template.visible import visible

MODULES = ("lodash", "dayjs", "uuid")
_FOLDER = Path(__file__).parent / "modules"
_OWN_NAMES = frozenset(["state", "console", "crypto", "require"])
_WORD = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What a script gave: its value as JSON, its log, the state that it changed. `problem` says
    how it ended when it threw; `code` is the error code then."""

    value: JsonValue = None
    log: str = ""
    changes: dict[str, JsonValue] = field(default_factory=dict)
    problem: str = ""
    code: str = ""


def run_script(script: Script, scope: Scope, state: Mapping[str, JsonValue]) -> ScriptResult:
    """Run it to its end in a child that is killed at its deadline; one that `quick` vouches for
    runs in the process first.

    Raises NodeError EXECUTION_ENGINE_ERROR for a limit; what the script throws is a result.
    """
    words = frozenset(_WORD.findall(script.source))
    variables = {name: value for name, value in visible(scope).items() if name not in _OWN_NAMES}
    variables |= script.values
    if is_quick_body(script.source):
        with suppress(NodeError):
            return ScriptResult(_quickly(script.source, variables, scope))
    bindings = bind(script.source, variables)
    stored: dict[str, JsonValue] = {key: to_json(value) for key, value in state.items()}
    seconds = Sandbox(scope.limits, scope.deadline).seconds(scope.limits.script_timeout_seconds)
    job = _Job(script, scope, words, bindings, to_json(stored))
    return _result(loads(in_child(job.run, seconds)), scope)


def _quickly(source: str, variables: Mapping[str, JsonValue], scope: Scope) -> JsonValue:
    """What it returns. It has no effects: whatever does not go well is done again in the child,
    whose word on errors and limits is the only one."""
    limit = scope.limits.template_timeout_ms / 1000
    sandbox = Sandbox(scope.limits, scope.deadline)
    return sandbox.run_function_body(source, variables, limit_seconds=limit, quick=True)


def _result(answer: JsonValue, scope: Scope) -> ScriptResult:
    if not isinstance(answer, dict):
        raise limit_exceeded("the script ended without a result")
    log, problem, changes = str(answer.get("log")), answer.get("problem"), answer.get("changes")
    if problem is None:
        pairs = changes if isinstance(changes, list) else []
        changed = {str(pair[0]): loads(str(pair[1])) for pair in pairs if isinstance(pair, list)}
        return ScriptResult(answer.get("value"), log, changed)
    error = named_problem(str(problem), scope.limits.script_memory_bytes)
    return ScriptResult(log=log, problem=error.message, code=error.stable_code)


@dataclass(frozen=True, slots=True)
class _Job:
    """The child's work."""

    script: Script
    scope: Scope
    words: frozenset[str]
    bindings: Bindings
    state: str

    def run(self) -> str:
        isolate = Isolate(self.scope.limits, self.bindings.size + len(self.state), None)
        if self.words & {"bigCmp", "bigGt", "bigLt", "parseUnit", "toBigInt"}:
            isolate.run(javascript("big_numbers"))
        isolate.bind(self.bindings)
        host = isolate.run(self._host(isolate))
        isolate.call(host, "start", self.script.source, self.script.body)
        isolate.drain()
        return str(isolate.call(host, "finish", "", False))

    def _host(self, isolate: Isolate) -> str:
        """Code of the host function; what it is given passes through globals that it removes."""
        given = ["state"]
        isolate.set_json("__given_state", self.state)
        used = [name for name in MODULES if name in self.words or name in self.script.source]
        isolate.set_json("__given_sources", to_json({name: module_source(name) for name in used}))
        isolate.set_json("__given_modules", to_json(list(MODULES)))
        given += ["sources", "modules"]
        if "uuid" in used or "crypto" in self.words:
            isolate.set_host("__given_entropy", _entropy)
            given.append("entropy")
        fields = ",".join(f"{name}:__given_{name}" for name in given)
        removed = "".join(f"delete globalThis.__given_{name};" for name in given)
        return (
            f"(()=>{{const given={{{fields}}};{removed}"
            f"return ({javascript('script')})({javascript('convert')}, given)}})()"
        )


def _entropy(size: int) -> str:
    """Hexadecimal digits of so many bytes from the operating system's generator."""
    return os.urandom(min(int(size), 65_536)).hex()


@cache
def module_source(name: str) -> str:
    """The text of a vendored module."""
    return (_FOLDER / f"{name}.js").read_text(encoding="utf-8")
