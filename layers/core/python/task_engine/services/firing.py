"""What a firing brings, made one canonical record whichever way it came."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from task_engine.config import Limits
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.json_value import JsonValue
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerRecord, TriggerType

_MANUAL_FIELDS = frozenset({"data", "headers", "pathParams"})
_TIMED = frozenset({TriggerType.CRON, TriggerType.FIXED_TIME})
# Names that a call must not give variables for: the engine's own.
_RESERVED = frozenset({"apContext", "context", "triggerConfig", "state", "aa_sender", "aa_salt"})


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing, as a caller, the Scheduler or an operator reports it.

    `occurrence` names it, so that the same firing reported again runs nothing again; "" = every
    report is another firing. `output` is the trigger's output as sent, None = none. `at_ms` is when
    a timed trigger was due (ms since the epoch), 0 = now. `variables` are for this run only.
    `cooldown_ms` and `said_at` are as in OccurrenceLife.
    """

    type: TriggerType
    occurrence: str = ""
    output: JsonValue = None
    at_ms: int = 0
    variables: dict[str, JsonValue] = field(default_factory=dict)
    blocking: bool = False
    cooldown_ms: int = 0
    said_at: int = 0


def trigger_record(task: Task, firing: Firing, limits: Limits, now_ms: int) -> TriggerRecord:
    """The record of `firing` for a task.

    Raises InvalidRequest with every problem: a type that is not the task's (manual may test-fire
    any task), data of the wrong form or above the size limit, a reserved variable.
    """
    problems = _variable_problems(firing.variables)
    own = task.definition.trigger.type
    if firing.type not in (own, TriggerType.MANUAL):
        text = f"the workflow's trigger is {own.value}: send that, or manual for a test run"
        problems.append(Problem("WORKFLOWS_BAD_TRIGGER_TYPE", "triggerType", text))
    if problems:
        raise InvalidRequest("the trigger can't be fired like this", tuple(problems))
    variables = _variables(task, firing)
    if own is TriggerType.MANUAL:
        return _manual_record(task, firing.output, variables, limits)
    data = _automatic_data(own, firing, now_ms)
    return TriggerRecord(type=own, data=data, variables=variables)


def _automatic_data(own: TriggerType, firing: Firing, now_ms: int) -> JsonValue:
    given = firing.output
    if given is not None and not isinstance(given, dict):
        raise _wrong("triggerOutput", "must be an object")
    if own in _TIMED:
        given = given or {}
        stamp = given.get("timestamp")
        at = stamp if type(stamp) is int else firing.at_ms or now_ms
        return {**given, **timed_data(at)}
    if not given:
        raise _wrong("triggerOutput", f"is required: the {own.value} that the run is about")
    return given


def timed_data(at_ms: int) -> dict[str, JsonValue]:
    """Output of cron and fixed-time triggers: the time, twice."""
    try:
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _wrong("triggerOutput.timestamp", "must be milliseconds since the epoch") from error
    precision = "milliseconds" if at_ms % 1000 else "seconds"
    iso = moment.isoformat(timespec=precision).replace("+00:00", "Z")
    return {"timestamp": at_ms, "timestampIso": iso}


def _manual_record(
    task: Task, output: JsonValue, variables: dict[str, JsonValue], limits: Limits
) -> TriggerRecord:
    """Call-time data, headers and path parameters take the place of the configured ones.

    An output with no other keys than these three gives them by name; any other is the data.
    """
    config = task.definition.trigger.config
    by_name = isinstance(output, dict) and output.keys() <= _MANUAL_FIELDS
    given = output if isinstance(output, dict) and by_name else {"data": output}
    data = given.get("data")
    if data is None:
        data = config.get("data")
    if data is None:
        data = {}
    _check_manual_data(data, str(config.get("lang", "")), limits)
    return TriggerRecord(
        type=TriggerType.MANUAL,
        data=data,
        headers=_merged("headers", given, config),
        path_params=_merged("pathParams", given, config),
        variables=variables,
    )


def manual_problem(data: JsonValue, lang: str, limits: Limits) -> str:
    """Why this can't be manual data, "" when it can: too large, or text that is not the JSON that
    `lang` says."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    if len(text.encode("utf-8", "surrogatepass")) > limits.max_manual_data_bytes:
        return f"must have at most {limits.max_manual_data_bytes} bytes"
    if isinstance(data, str) and lang.lower() in ("json", "2", "lang_json"):
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return f"must be JSON, as the trigger's lang says, not {data[:40]!r}"
    return ""


def _check_manual_data(data: JsonValue, lang: str, limits: Limits) -> None:
    problem = manual_problem(data, lang, limits)
    if problem:
        raise _wrong("triggerOutput.data", problem, code="INVALID_TRIGGER_CONFIG")


def _merged(name: str, given: dict[str, JsonValue], config: object) -> dict[str, JsonValue] | None:
    """A map, also from a list of one-key objects; the caller's in place of the configured one."""
    value = given.get(name)
    if value is None and hasattr(config, "get"):
        value = config.get(name)
    try:
        return merged_map(value)
    except ValueError as error:
        raise _wrong(f"triggerOutput.{name}", "must be an object of texts") from error


def merged_map(value: JsonValue) -> dict[str, JsonValue] | None:
    """A map as it is, or a list of one-key objects made one; raises ValueError for neither."""
    if value is None:
        return None
    if isinstance(value, dict):
        return dict(value)
    merged: dict[str, JsonValue] = {}
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, dict):
            raise ValueError("not an object")
        merged.update(entry)
    return merged


def _variables(task: Task, firing: Firing) -> dict[str, JsonValue]:
    """Call-time variables; `settings` may gain keys, but the stored ones stand: they say whose
    wallet acts."""
    variables = dict(firing.variables)
    if "settings" in variables:
        given = variables["settings"]
        stored = task.definition.input_variables.get("settings")
        added = given if isinstance(given, dict) else {}
        variables["settings"] = {**added, **(stored if isinstance(stored, dict) else {})}
    return variables


def _variable_problems(variables: dict[str, JsonValue]) -> list[Problem]:
    text = "is a name of the engine's: choose another one"
    return [
        Problem("WORKFLOWS_BAD_TRIGGER_INPUT", f"triggerInput.{name}", text)
        for name in variables
        if name in _RESERVED
    ]


def _wrong(path: str, text: str, code: str = "WORKFLOWS_BAD_TRIGGER_OUTPUT") -> InvalidRequest:
    problem = Problem(code, path, text)
    return InvalidRequest("the trigger can't be fired like this", (problem,), code=code)
