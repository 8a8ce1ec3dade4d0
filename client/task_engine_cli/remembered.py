"""Which task an execution belongs to: the API asks for both, people know one."""

from __future__ import annotations

from collections.abc import Iterable

from task_engine_cli.failures import InputError
from task_engine_cli.session import Session
from task_engine_cli.settings import read_json, state_file, write_json
from task_engine_client import ApiError

_KEPT = 500


def remember(pairs: Iterable[tuple[str, str]]) -> None:
    """Keep (execution, task) pairs, the newest 500; a folder that can't be written is no error."""
    try:
        known = read_json(state_file())
        for execution_id, task_id in pairs:
            known.pop(execution_id, None)
            known[execution_id] = task_id
        write_json(state_file(), dict(list(known.items())[-_KEPT:]))
    except InputError:
        return


def task_of(here: Session, execution_id: str, given: str) -> str:
    """The task of an execution: given, remembered, or found among the caller's tasks.

    Raises InputError when no task of the caller has such an execution.
    """
    if given:
        return given
    try:
        known = read_json(state_file()).get(execution_id.lower())
    except InputError:
        known = None
    if isinstance(known, str):
        return known
    for workflow in here.client.workflows.all():
        try:
            here.client.executions.status(workflow.id, execution_id)
        except ApiError as error:
            if error.status in (400, 404):
                continue
            raise
        remember([(execution_id.lower(), workflow.id)])
        return workflow.id
    raise InputError(f"no task of yours has an execution {execution_id}")
