"""Waits beside the steps they belong to: opened, decided once, delivered."""

from __future__ import annotations

from dataclasses import replace

from task_engine.aws.check_writes import CheckWrites
from task_engine.aws.dynamo import Dynamo, Query, Update
from task_engine.aws.failures import AwsError
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.aws.schedules import SchedulerSchedules
from task_engine.aws.stored import reading
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.execution import ExecutionStatus
from task_engine.model.wait import Decision, Verdict, Wait
from task_engine.operator.checks import CheckHead, event_check, wait_check_id
from task_engine.run.ports import Run, StepKey

# The walk has gone on, or is over: there is nobody left to tell.
_TOLD_ALREADY = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})


class WaitRepository:
    """Implements Waits, and what deciding needs. A wait's row is `wait#<ordinal>#<nodeId>` in the
    partition of its execution's steps."""

    def __init__(
        self, dynamo: Dynamo, packer: Packer, clients: WaitClients, settings: Settings
    ) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._clients = clients
        self._settings = settings
        self._checks = CheckWrites(settings)

    def open(self, wait: Wait, now_ms: int) -> Wait:
        """A second opening changes the token alone: the time runs from the first one."""
        update = Update(
            self._table,
            _key(wait.execution_id, StepKey(wait.ordinal, wait.node_id)),
            "SET #token = :token, #status = if_not_exists(#status, :open), #chainId = :chain, "
            "#taskId = :task, #owner = :owner, #approvers = :approvers, "
            "#openedAt = if_not_exists(#openedAt, :now), "
            "#timeoutAt = if_not_exists(#timeoutAt, :timeout)",
            {
                "token": wait.token,
                "open": "open",
                "task": wait.task_id,
                "owner": wait.owner,
                "approvers": list(wait.approvers),
                "now": now_ms,
                "timeout": wait.timeout_at,
                "chain": wait.chain_id,
            },
        )
        item = self._dynamo.update(update, "ALL_NEW")
        stands = self._wait(item)
        if stands.decision is None:
            if wait.event is not None:
                self._watch(replace(stands, event=wait.event), item["openedAt"])
            self._mark(wait.task_id, wait.execution_id, ExecutionStatus.WAITING)
        return stands

    def _watch(self, wait: Wait, since_ms: int) -> None:
        """Have operators watch for the event of an open wait, until its time is over."""
        event = wait.event or {}
        # The first log of a block is enough.
        cooldown = event.get("cooldownSeconds")
        event = {**event, "cooldownSeconds": 1 if cooldown == 0 else cooldown}
        head = CheckHead(
            id=wait_check_id(wait.execution_id, wait.node_id),
            owner=wait.owner,
            version=since_ms,
            since_ms=since_ms,
            expired_at=wait.timeout_at,
        )
        self._dynamo.put(self._checks.watched(event_check(head, event), wait.timeout_at))

    def _unwatch(self, wait: Wait, now_ms: int) -> None:
        name = wait_check_id(wait.execution_id, wait.node_id)
        self._dynamo.put(self._checks.gone(wait.chain_id, name, wait.owner, (now_ms, now_ms)))

    def find(self, run: Run, key: StepKey) -> Wait | None:
        """One consistent read."""
        item = self._dynamo.get(self._table, _key(run.execution_id, key))
        return None if item is None else self._wait(item)

    def of(self, execution_id: str) -> list[Wait]:
        """All waits of an execution, by ordinal."""
        query = Query(
            self._table,
            "#executionId = :id AND begins_with(#sk, :prefix)",
            {"id": execution_id, "prefix": "wait#"},
            consistent=True,
        )
        return [self._wait(item) for item in self._dynamo.rows(query)]

    def decide(self, wait: Wait, decision: Decision) -> Wait | None:
        """The wait with the decision; None when another one was first."""
        blob = f"waits/{wait.execution_id}/{wait.node_id}"
        update = Update(
            self._table,
            _key(wait.execution_id, StepKey(wait.ordinal, wait.node_id)),
            "SET #status = :decided, #verdict = :verdict, #by = :by, #at = :at, "
            "#payload = :payload",
            {
                "decided": "decided",
                "verdict": decision.verdict.value,
                "by": decision.by,
                "at": decision.at,
                "payload": self._packer.pack(decision.payload, blob),
                "open": "open",
            },
            "#status = :open",
        )
        try:
            decided = self._wait(self._dynamo.update(update, "ALL_NEW"))
        except ConditionFailed:
            return None
        if wait.chain_id:
            self._unwatch(wait, decision.at)
        if all(other.decision is not None for other in self.of(wait.execution_id)):
            self._mark(wait.task_id, wait.execution_id, ExecutionStatus.PENDING)
        return decided

    def deliver(self, wait: Wait) -> None:
        """https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html"""
        try:
            self._clients.states.call("SendTaskSuccess", {"taskToken": wait.token, "output": "{}"})
        except AwsError as error:
            if error.name not in _TOLD_ALREADY:
                raise

    def arm_timeout(self, wait: Wait) -> None:
        """A schedule of its own, gone after it has fired."""
        self._clients.schedules.arm_wait(wait)

    def _mark(self, task_id: str, execution_id: str, status: ExecutionStatus) -> None:
        """Shown while anybody is waited for; a final status stays."""
        update = Update(
            self._settings.name("TABLE_EXECUTIONS"),
            {"taskId": task_id, "id": execution_id},
            "SET #status = :status",
            {
                "status": status.value,
                "pending": ExecutionStatus.PENDING.value,
                "waiting": ExecutionStatus.WAITING.value,
            },
            "#status IN (:pending, :waiting)",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            return

    def _wait(self, item: Item) -> Wait:
        with reading("wait"):
            return self._read(item)

    def _read(self, item: Item) -> Wait:
        _, ordinal, node_id = str(item["sk"]).split("#", 2)
        wait = Wait(
            execution_id=item["executionId"],
            task_id=item["taskId"],
            owner=item["owner"],
            node_id=node_id,
            ordinal=int(ordinal),
            approvers=tuple(item["approvers"]),
            timeout_at=item["timeoutAt"],
            token=item["token"],
            chain_id=item.get("chainId", 0),
        )
        if item["status"] != "decided":
            return wait
        payload = self._packer.unpack(item["payload"])
        decision = Decision(Verdict(item["verdict"]), item["by"], item["at"], payload)
        return replace(wait, decision=decision)

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_STEPS")


class WaitClients:
    """Who is told of waits: Step Functions and the Scheduler."""

    def __init__(self, states: AwsClient, schedules: SchedulerSchedules) -> None:
        self.states = states
        self.schedules = schedules


def _key(execution_id: str, key: StepKey) -> dict[str, object]:
    return {"executionId": execution_id, "sk": f"wait#{key.ordinal:05d}#{key.node_id}"}
