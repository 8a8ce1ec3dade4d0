"""Workflows that between them make every function on the way of a task do all that it does."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from infra_cdk.local.client import ApiClient
from infra_cdk.local.waiting import wait_until
from tests.cases.case import branch, code, graphql, keep, loop, rest
from tests.e2e.engine import one_node, task_of
from tests.faults.control import Call, Fault
from tests.faults.world import FINAL, FaultWorld, persistently

Json = Any
EVENTS = Path(__file__).parents[2] / "events"
CRON = {"type": "cron", "config": {"schedules": ["0 5 * * *"]}}


@dataclass(frozen=True)
class Run:
    """One use of a sample: `key` is what the outside server counts for it."""

    world: FaultWorld
    api: ApiClient
    key: str
    created: Json

    @property
    def task(self) -> str:
        """The task's id."""
        return str(self.created["id"])

    def trigger(self, *, blocking: bool = False) -> Json:
        """As a client does it that does not give up."""
        body = {"triggerType": "manual", "isBlocking": blocking}
        answer = persistently(self.api, "POST", f"/workflows/{self.task}:trigger", body)
        assert answer.status in (200, 202), answer
        return answer.body

    def sent(self, function: str, event: Json) -> None:
        """Invoke without waiting, as AWS's own services do."""
        self.world.stage.aws.client("lambda").invoke(
            FunctionName=self.world.deployment.output(f"Function{function}"),
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )

    def header(self, what: str, accept: Callable[[Json], bool]) -> Json:
        """The only execution's header as soon as it is as wanted."""

        def found() -> Json:
            rows = self.world.executions(self.task)
            return rows[0] if rows and accept(rows[0]) else None

        return wait_until(found, what, 150, 0.1)


@dataclass(frozen=True)
class Sample:
    """`task` gives the create request for a key of the counting server; `act` makes it run.

    `once` are nodes whose effect must not be doubled, `again` such as may be repeated, both with
    what they count beside the run's key. `statuses` are ends that are right without any doubt.
    `always` names a function whose process dies each time. `alone` samples use the sweeper, which
    works for all at once.
    """

    name: str
    task: Callable[[FaultWorld, str], dict[str, Json]]
    act: Callable[[Run], None]
    once: dict[str, Sequence[str]] = field(default_factory=dict)
    again: dict[str, Sequence[str]] = field(default_factory=dict)
    before: Callable[[Run], None] = lambda _run: None
    statuses: tuple[str, ...] = ("success",)
    executions: int = 1
    ends_as: str = "enabled"
    always: str = ""
    alone: bool = False

    def faults(self) -> tuple[Fault, ...]:
        """What goes wrong in any use of it."""
        if not self.always:
            return ()
        return (Fault(Call(self.always, "lambda", "begin"), 0, "die before"),)


def _counted(world: FaultWorld, key: str, more: str = "") -> str:
    return f"{world.http.url}/count/{key}{more}"


def _chain(*nodes: Json, **more: Json) -> dict[str, Json]:
    ids = ["t", *(node["id"] for node in nodes)]
    return task_of(nodes, list(pairwise(ids)), **more)


def _queued(run: Run) -> None:
    run.trigger()


def _blocking(run: Run) -> None:
    run.trigger(blocking=True)


def _write(world: FaultWorld, key: str) -> dict[str, Json]:
    headers = {"X-Token": "{{apContext.configVars.TOKEN}}"}
    pay = rest("pay", _counted(world, key), method="POST", headers=headers)
    return _chain(pay, code("after", "return typeof pay"))


def _read(world: FaultWorld, key: str) -> dict[str, Json]:
    ask = rest("ask", _counted(world, key))
    return _chain(
        ask, branch("which", ("yes", "if", "ask.data.data.count > 0"), ("no", "else", ""))
    )


def _asked(world: FaultWorld, _key: str) -> dict[str, Json]:
    return _chain(graphql("ask", world.graphql.url, "{ hello }"), code("after", "return ask.data"))


def _stateful(_world: FaultWorld, _key: str) -> dict[str, Json]:
    add = code("add", "state.set('n', (state.get('n') || 0) + 1); return state.get('n')")
    return _chain(add, code("after", "return typeof add"))


def _large(_world: FaultWorld, _key: str) -> dict[str, Json]:
    source = "let s = 1; return Array.from({length: 900}, () => (s = s * 16807 % 2147483647))"
    return _chain(code("large", source), keep("some", "{{large.data}}", "value > 1000"))


def _short_loop(world: FaultWorld, key: str) -> dict[str, Json]:
    each = loop("each", "{{items.data}}", rest("r", _counted(world, key, "-{{value}}")))
    return _chain(code("items", "return [0, 1]"), each)


def _chunks(world: FaultWorld, key: str) -> dict[str, Json]:
    write = rest("w", _counted(world, key, "-{{value}}"), method="POST")
    each = loop("each", "{{items.data}}", write, executionMode="parallel")
    return _chain(code("items", "return [0, 1, 2, 3, 4]"), each)


def _read_chunks(world: FaultWorld, key: str) -> dict[str, Json]:
    read = rest("r", _counted(world, key, "-{{value}}"))
    each = loop("each", "{{items.data}}", read, executionMode="parallel")
    return _chain(code("items", "return [0, 1, 2, 3, 4]"), each)


def _approval(world: FaultWorld, key: str) -> dict[str, Json]:
    config = {"channel": "api", "prompt": "go?", "timeoutSeconds": 600}
    wait = {"id": "approval", "name": "approval", "type": "await", "config": config}
    return _chain(wait, rest("pay", _counted(world, key), method="POST"))


def _approved(run: Run) -> None:
    run.trigger()
    waiting = run.header("the execution waits", lambda row: row["status"] == "waiting")
    path, query = f"/executions/{waiting['id']}:signal", {"workflowId": run.task}
    body = {"decision": "approve", "payload": {"note": "yes " * 500 + uuid.uuid4().hex}}
    answer = persistently(run.api, "POST", path, body, query=query)
    # 412: the first try's answer was lost, but it decided.
    assert answer.status in (200, 412), answer


def _timed_out(run: Run) -> None:
    run.trigger()
    waiting = run.header("the execution waits", lambda row: row["status"] == "waiting")
    [wait] = [
        row
        for row in run.world.rows("TableSteps", "executionId", waiting["id"])
        if row["sk"].startswith("wait#")
    ]
    key = {"executionId": waiting["id"], "sk": wait["sk"]}
    run.world.deployment.change("TableSteps", key, timeoutAt=int(time.time() * 1000) - 1)
    event = {"kind": "wait", "taskId": run.task, "executionId": waiting["id"], "ordinal": 1}
    run.sent("Trigger", {**event, "owner": run.api.owner, "nodeId": "approval"})


def _scheduled(run: Run) -> None:
    event = json.loads((EVENTS / "trigger/schedule_cron.json").read_text())
    run.sent("Trigger", {**event, "taskId": run.task, "owner": run.api.owner})


def _last_time(world: FaultWorld, key: str) -> dict[str, Json]:
    epochs = [int(time.time() * 1000) + 3_600_000]
    trigger = {"type": "fixedTime", "config": {"epochs": epochs}}
    return _chain(rest("ask", _counted(world, key)), trigger=trigger)


def _last_time_comes(run: Run) -> None:
    epoch = run.created["trigger"]["config"]["epochs"][0]
    event = {"kind": "schedule", "type": "fixedTime", "scheduledTime": "", "epoch": epoch}
    run.sent("Trigger", {**event, "taskId": run.task, "owner": run.api.owner})


def _dead(world: FaultWorld, key: str) -> dict[str, Json]:
    nodes = [branch("dead", ("yes", "if", "true")), rest("ask", _counted(world, key))]
    return _chain(*nodes)


def _slow(world: FaultWorld, key: str) -> dict[str, Json]:
    slow = rest("r", _counted(world, key, "?seconds=1.5"))
    return _chain(code("items", "return [1, 2]"), loop("each", "{{items.data}}", slow))


def _stopped(run: Run) -> None:
    execution = run.trigger()["executionId"]
    wait_until(lambda: run.world.http.count(run.key) >= 1, "the loop's first request", 150)
    machine = run.world.deployment.output("WalkStandardArn")
    walk = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
    run.world.stage.aws.client("stepfunctions").stop_execution(executionArn=walk)


def _lost(run: Run) -> None:
    """Its last step and its end were never stored, six minutes ago."""
    execution = run.trigger(blocking=True)["executionId"]
    run.header("its end", lambda row: row["status"] in FINAL)
    world = run.world
    last = max(row["sk"] for row in world.rows("TableSteps", "executionId", execution))
    key = {"executionId": {"S": execution}, "sk": {"S": last}}
    table = world.deployment.output("TableSteps")
    world.stage.aws.client("dynamodb").delete_item(TableName=table, Key=key)
    world.deployment.change(
        "TableExecutions",
        {"taskId": run.task, "id": execution},
        status="pending",
        openShard="open#0",
        startAt=int(time.time() * 1000) - 6 * 60_000,
    )


def _hopeless(run: Run) -> None:
    _lost(run)
    execution = run.world.executions(run.task)[0]["id"]
    started = int(time.time() * 1000) - 180 * 60_000
    key = {"taskId": run.task, "id": execution}
    run.world.deployment.change("TableExecutions", key, startAt=started)


def _expired(run: Run) -> None:
    row = run.world.task(run.api.owner, run.task)
    key = {"owner": run.api.owner, "sk": row["sk"]}
    run.world.deployment.change("TableTasks", key, expiredAt=int(time.time() * 1000) - 1000)


def _swept(run: Run) -> None:
    run.sent("Sweeper", {"for": run.task})


def _secrets(world: FaultWorld, key: str) -> dict[str, Json]:
    token = "{{apContext.configVars.TOKEN}}"
    headers = {"X-Token": token, "X-Length": "{{len.data}}"}
    items = loop("each", "{{listed.data}}", code("x", "state.set('n', value); return value"))
    items["config"]["runner"]["config"]["source"] += " + apContext.configVars.TOKEN.length"
    return _chain(
        code("len", "return apContext.configVars.TOKEN.length"),
        code("listed", "return [1, 2]"),
        graphql("ask", f"{world.graphql.url}?length={{{{len.data}}}}&token={token}", "{ hello }"),
        branch("which", ("yes", "if", "apContext.configVars.TOKEN != 'x'")),
        keep("some", "{{listed.data}}", "value < apContext.configVars.TOKEN.length"),
        items,
        rest("read", _counted(world, key), headers=headers),
    )


def _scheduled_twice(run: Run) -> None:
    _scheduled(run)
    run.header("the first one's end", lambda row: row["status"] in FINAL)
    _scheduled(run)


def _decided_by_nobody(run: Run) -> None:
    run.trigger()
    waiting = run.header("the execution waits", lambda row: row["status"] == "waiting")
    key = {"executionId": waiting["id"], "sk": "wait#00001#approval"}
    run.world.deployment.change("TableSteps", key, timeoutAt=int(time.time() * 1000) - 1)
    run.world.age(waiting, 6)


def _deleted(run: Run) -> None:
    _lost(run)
    assert run.api.request("DELETE", f"/workflows/{run.task}").status < 300


def _unreadable(run: Run) -> None:
    key = {"owner": run.api.owner, "sk": f"plan#{run.task}#1"}
    run.world.deployment.change("TableTasks", key, plan="rubbish")


def _started_late(run: Run) -> None:
    execution = run.world.executions(run.task)[0]["id"]
    message = {"executionId": execution, "taskId": run.task, "owner": run.api.owner}
    run.world.deployment.send("ExecutionQueueUrl", message)


def _expiring(_world: FaultWorld, _key: str) -> dict[str, Json]:
    return one_node(trigger=CRON, expiredAt=int(time.time() * 1000) + 7_200_000)


_FIVE = [f"-{n}" for n in range(5)]

SAMPLES = (
    Sample("a write", _write, _queued, once={"pay": [""]}),
    Sample("a read and a branch", _read, _blocking, again={"ask": [""]}),
    Sample("a query", _asked, _queued),
    Sample("a script with a state", _stateful, _queued, once={"add": []}),
    Sample("a large output and a filter", _large, _queued),
    Sample("a short loop", _short_loop, _queued, again={"each": ["-0", "-1"]}),
    Sample("a loop of writes in chunks", _chunks, _queued, once={"each": _FIVE}),
    Sample("a loop of reads in chunks", _read_chunks, _queued, again={"each": _FIVE}),
    Sample("an approval", _approval, _approved, once={"pay": [""]}),
    Sample("an approval too late", _approval, _timed_out, statuses=("failed",)),
    Sample(
        "a cron schedule",
        lambda world, key: _chain(rest("ask", _counted(world, key)), trigger=CRON),
        _scheduled,
        again={"ask": [""]},
    ),
    Sample(
        "the last fixed time",
        _last_time,
        _last_time_comes,
        again={"ask": [""]},
        ends_as="completed",
    ),
    Sample(
        "the last run of a budget",
        lambda world, key: {**_write(world, key), "maxExecution": 1},
        _blocking,
        once={"pay": [""]},
        ends_as="completed",
    ),
    Sample("secrets in every kind of node", _secrets, _queued, once={"each": []}),
    Sample(
        "a doubled firing for the last run of a budget",
        lambda world, key: _chain(rest("ask", _counted(world, key)), trigger=CRON, maxExecution=1),
        _scheduled_twice,
        again={"ask": [""]},
        ends_as="completed",
    ),
    Sample(
        "an execution of a deleted task",
        _write,
        _started_late,
        once={"pay": [""]},
        before=_deleted,
        statuses=("error",),
        ends_as="deleted",
    ),
    Sample(
        "a plan that can't be read",
        _write,
        _queued,
        before=_unreadable,
        statuses=("failed",),
    ),
    Sample(
        "a function that always dies",
        _dead,
        _queued,
        again={"ask": [""]},
        statuses=("failed",),
        always="node_branch",
    ),
    Sample("a walk stopped by hand", _slow, _stopped, statuses=("error",)),
    Sample("a lost execution", _write, _swept, once={"pay": [""]}, before=_lost, alone=True),
    Sample(
        "an approval that nobody gave",
        _approval,
        _swept,
        before=_decided_by_nobody,
        statuses=("failed",),
        alone=True,
    ),
    Sample(
        "a hopeless execution",
        _write,
        _swept,
        once={"pay": [""]},
        before=_hopeless,
        statuses=("error",),
        alone=True,
    ),
    Sample(
        "a task whose time is over",
        _expiring,
        _swept,
        before=_expired,
        executions=0,
        ends_as="completed",
        alone=True,
    ),
)
