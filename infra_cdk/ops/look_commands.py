"""Commands that change nothing."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from infra_cdk.ops import keys, letters, look, runs
from infra_cdk.ops.engine import Engine
from infra_cdk.ops.output import Output


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse names no public type
    """Commands that look at work, at the functions, and at keys."""
    commands.add_parser("alarms", help="alarms that are not OK").set_defaults(run=alarms)
    errors = commands.add_parser("errors", help="errors and warnings in the functions' logs")
    errors.add_argument("--function", default="", help="e.g. Sweeper; all when left out")
    errors.add_argument("--minutes", type=float, default=60)
    errors.set_defaults(run=logged_errors)
    dead = commands.add_parser("dead-letters", help="how many there are; or those of one queue")
    dead.add_argument("queue", nargs="?", default="")
    dead.set_defaults(run=dead_letters)
    stuck = commands.add_parser("stuck", help="executions that are open for long")
    stuck.add_argument("--minutes", type=float, default=10)
    stuck.set_defaults(run=open_for_long)
    execution = commands.add_parser("execution", help="one execution, its walks and steps")
    execution.add_argument("task")
    execution.add_argument("execution")
    execution.set_defaults(run=one_execution)
    commands.add_parser("concurrency", help="of functions").set_defaults(run=concurrency)
    commands.add_parser("operators", help="who watches chains").set_defaults(run=operators)
    funds = commands.add_parser("funds", help="what the sending accounts have")
    funds.add_argument("--below", type=int, default=0, metavar="WEI", help="exit 1 below this")
    funds.set_defaults(run=money)
    commands.add_parser("keys", help="the deployment's keys").set_defaults(run=all_keys)
    grants = commands.add_parser("grants", help="policies in force, and for which controller")
    grants.add_argument("--outdated", action="store_true", help="only those of earlier keys")
    grants.set_defaults(run=all_grants)


def alarms(engine: Engine, _: Namespace, output: Output) -> int:
    """1 when one is raised."""
    return min(1, output.rows(look.alarms(engine.deployment), "all are OK"))


def logged_errors(engine: Engine, given: Namespace, output: Output) -> int:
    """Always 0: a line may be hours old."""
    output.rows(look.errors(engine.deployment, given.function, given.minutes))
    return 0


def dead_letters(engine: Engine, given: Namespace, output: Output) -> int:
    """0; the letters stay where they are."""
    if not given.queue:
        found = letters.depths(engine.deployment)
        output.rows({"queue": queue, "letters": count} for queue, count in found.items())
        return 0
    with letters.Letters(engine.deployment, given.queue) as held:
        output.rows(
            {"id": each.id, "sentAt": each.sent_at, "reason": each.reason, "body": each.body}
            for each in held
        )
    return 0


def open_for_long(engine: Engine, given: Namespace, output: Output) -> int:
    """1 when one is stuck."""
    now, stuck = engine.clock.now_ms(), 0
    rows = []
    for found in runs.open_runs(engine, given.minutes):
        verdict = found.verdict(now)
        stuck += verdict.startswith("stuck")
        rows.append(
            {
                "task": found.execution.task_id,
                "execution": found.execution.id,
                "owner": found.execution.owner,
                "status": found.execution.status.value,
                "minutes": (now - found.execution.begun_at) // 60_000,
                "verdict": verdict,
                "walks": list(found.walks),
            }
        )
    output.rows(rows)
    return min(1, stuck)


def one_execution(engine: Engine, given: Namespace, output: Output) -> int:
    """Ids, times and errors; never what a step worked on."""
    execution = runs.required(engine, given.task, given.execution)
    output.rows(
        [
            {
                "execution": execution.id,
                "owner": execution.owner,
                "index": execution.index,
                "status": execution.status.value,
                "startAt": execution.start_at,
                "endAt": execution.end_at,
                "resumes": execution.resumes,
                "error": execution.error,
            }
        ]
    )
    walks = runs.walks(engine, execution)
    output.rows(({"walk": n, "status": s} for n, s in walks.items()), "no Standard walk")
    steps = engine.steps.steps(execution.id)
    output.rows(
        {
            "step": step.node_id,
            "type": step.type.value,
            "status": step.status.value,
            "attempt": step.attempt,
            "startAt": step.start_at,
            "endAt": step.end_at,
            "code": step.outcome.error.code if step.outcome.error else "",
        }
        for step in steps
    )
    return 0


def concurrency(engine: Engine, _: Namespace, output: Output) -> int:
    """0."""
    output.rows([look.concurrency(engine.deployment)])
    return 0


def operators(engine: Engine, _: Namespace, output: Output) -> int:
    """1 when one that was there is silent."""
    found = look.operators(engine)
    output.rows(found)
    return int(any(not each["live"] for each in found))


def money(engine: Engine, given: Namespace, output: Output) -> int:
    """1 when an account has less than asked for, or its chain does not tell."""
    found = look.funds(engine)
    output.rows(asdict(purse) for purse in found)
    return int(any(purse.error or purse.wei < given.below for purse in found))


def all_keys(engine: Engine, _: Namespace, output: Output) -> int:
    """0."""
    output.rows(asdict(key) for key in keys.keys(engine))
    return 0


def all_grants(engine: Engine, given: Namespace, output: Output) -> int:
    """1 when some have to be given anew."""
    found = [g for g in keys.grants(engine) if not (given.outdated and g.current)]
    output.rows(asdict(grant) for grant in found)
    return int(any(not grant.current for grant in found))
