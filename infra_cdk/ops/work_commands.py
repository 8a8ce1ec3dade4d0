"""Commands that set work going again, or end it."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from task_engine.model.task import TaskStatus

from infra_cdk.ops import letters, runs
from infra_cdk.ops.backup import arm_all
from infra_cdk.ops.consistency import Unreadable, all_tasks, findings
from infra_cdk.ops.deployment import OpsError
from infra_cdk.ops.engine import Engine
from infra_cdk.ops.output import Output


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse names no public type
    """redrive, discard, resume, end, rearm, check"""
    for name, run, text in (
        ("redrive", redrive, "send dead letters where they were to go"),
        ("discard", discard, "throw dead letters away"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("queue")
        which = command.add_mutually_exclusive_group(required=True)
        which.add_argument("--id", default="")
        which.add_argument("--all", action="store_true")
        command.add_argument("--dry-run", action="store_true", help="only say what would be done")
        command.set_defaults(run=run)
    for name, run, text in (
        ("resume", resume, "have an execution go on after its stored steps"),
        ("end", end, "give an execution the status error"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("task")
        command.add_argument("execution")
        command.set_defaults(run=run)
        if run is end:
            command.add_argument("--reason", required=True)
    rearm_command = commands.add_parser("rearm", help="make the schedules of tasks again")
    rearm_command.add_argument("task", nargs="?", default="", help="all enabled ones when left out")
    rearm_command.set_defaults(run=rearm)
    check_command = commands.add_parser("check", help="do the deployment's parts agree?")
    check_command.add_argument("--repair", action="store_true")
    check_command.set_defaults(run=check)


def redrive(engine: Engine, given: Namespace, output: Output) -> int:
    """0; nothing chosen is an error."""
    return _each(engine, given, output, "redriven")


def discard(engine: Engine, given: Namespace, output: Output) -> int:
    """0; nothing chosen is an error."""
    return _each(engine, given, output, "discarded")


def _each(engine: Engine, given: Namespace, output: Output, done: str) -> int:
    box = letters.Letters(engine.deployment, given.queue)
    with box as held:
        chosen = [letter for letter in held if given.all or letter.id == given.id]
        if given.id and not chosen:
            raise OpsError(f"{given.queue} has no letter {given.id}")
        for letter in chosen:
            if given.dry_run:
                output.done(f"{letter.id} would be {done}", id=letter.id)
            elif done == "redriven":
                output.done(f"{letter.id} redriven to {box.redrive(letter)}", id=letter.id)
            else:
                box.remove(letter)
                output.done(f"{letter.id} discarded", id=letter.id)
    if not chosen:
        output.done("there are none", count=0)
    return 0


def resume(engine: Engine, given: Namespace, output: Output) -> int:
    """As its owner would by the API."""
    execution = runs.required(engine, given.task, given.execution)
    after = engine.resume.resume(execution.owner, execution.task_id, execution.id)
    output.done(f"{after.id} {after.status.value}", id=after.id, status=after.status.value)
    return 0


def end(engine: Engine, given: Namespace, output: Output) -> int:
    """One that has ended stays as it is."""
    after = runs.end(engine, given.task, given.execution, given.reason)
    output.done(f"{after.id} {after.status.value}", id=after.id, status=after.status.value)
    return 0


def rearm(engine: Engine, given: Namespace, output: Output) -> int:
    """Harmless for schedules that are there."""
    if not given.task:
        armed = arm_all(engine)
        output.done(f"{armed} tasks armed", armed=armed)
        return 0
    for task in all_tasks(engine):
        if task.id == given.task.lower():
            if isinstance(task, Unreadable):
                raise OpsError(f"task {task.id}: {task.why}")
            if task.status is not TaskStatus.ENABLED:
                raise OpsError(f"task {task.id} is {task.status.value}")
            engine.schedules.arm(task)
            output.done(f"{task.id} armed", id=task.id)
            return 0
    raise OpsError(f"there is no task {given.task}")


def check(engine: Engine, given: Namespace, output: Output) -> int:
    """1 when something is left that does not agree."""
    left = 0
    rows = []
    for finding in findings(engine):
        mended = given.repair and finding.mend()
        left += not mended
        row: dict[str, Any] = {
            "kind": finding.kind,
            "about": finding.about,
            "detail": finding.detail,
        }
        rows.append({**row, "mended": mended} if given.repair else row)
    output.rows(rows, "everything agrees")
    return min(1, left)
