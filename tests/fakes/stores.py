"""Tasks, executions, secrets, wallets and guards in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from task_engine.errors import Conflict, Corrupted, NotFound, PreconditionFailed, QuotaExceeded
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.paging import Page, PageRequest, page_of
from task_engine.model.plan import Plan
from task_engine.model.secret import SecretInfo, SecretScope
from task_engine.model.task import CompletionReason, Task, TaskStatus
from task_engine.model.trigger import TriggerRecord
from task_engine.model.wallet import Wallet
from task_engine.services.ports import Admitted, OccurrenceLife, TaskFilter

T = TypeVar("T")


def page_rows(
    rows: Sequence[T], key_of: Callable[[T], str], page: PageRequest, *, newest_first: bool
) -> Page[T]:
    """Cut a page out of all rows, as the tables do."""
    ordered = sorted(rows, key=key_of, reverse=newest_first)
    keys = [key_of(row) for row in ordered]

    def behind(key: str, mark: str) -> bool:
        return key < mark if newest_first else key > mark

    if page.after is not None:
        chosen = [r for r, k in zip(ordered, keys, strict=True) if behind(k, page.after)]
    elif page.before is not None:
        ahead = [r for r, k in zip(ordered, keys, strict=True) if behind(page.before, k)]
        cut = ahead[-page.limit :]
        return page_of(page, cut, len(ahead) > len(cut), key_of)
    else:
        chosen = ordered
    return page_of(page, chosen[: page.limit], len(chosen) > page.limit, key_of)


class FakeTasks:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Task] = {}
        self.plans: dict[tuple[str, int], Plan] = {}
        self.unreadable: set[str] = set()

    def create(self, task: Task, plan: Plan, max_active: int) -> None:
        if self._enabled(task.owner) >= max_active:
            raise QuotaExceeded("too many enabled workflows")
        self.rows[task.owner, task.id] = task
        self.plans[task.id, task.version] = plan

    def get(self, owner: str, task_id: str) -> Task | None:
        if task_id in self.unreadable:
            raise Corrupted("the stored workflow can't be read")
        return self.rows.get((owner, task_id))

    def some(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Task]:
        return {name: self.rows[name] for name in names if name in self.rows}

    def page(self, owner: str, chosen: TaskFilter, page: PageRequest) -> Page[Task]:
        return page_rows(self._chosen(owner, chosen), lambda t: t.id, page, newest_first=True)

    def count(self, owner: str, chosen: TaskFilter) -> int:
        return len(self._chosen(owner, chosen))

    def set_status(
        self,
        task: Task,
        status: TaskStatus,
        now_ms: int,
        reason: CompletionReason | None = None,
        max_active: int = 0,
        note: str = "",
    ) -> Task:
        stands = self.rows[task.owner, task.id]
        if stands.status is not task.status:
            raise Conflict("the status is another by now")
        if max_active and self._enabled(task.owner) >= max_active:
            raise QuotaExceeded("too many enabled workflows")
        changed = replace(stands, status=status, completion_reason=reason, note=note)
        if changed.check_version:
            changed = replace(changed, check_version=max(now_ms, changed.check_version + 1))
        self.rows[task.owner, task.id] = changed
        return changed

    def delete(self, owner: str, task_id: str, now_ms: int) -> None:
        task = self.rows.pop((owner, task_id), None)
        if task is not None:
            self.plans.pop((task_id, task.version), None)

    def due_to_expire(self, now_ms: int, limit: int) -> list[Task]:
        due = [t for t in self.rows.values() if 0 < t.expired_at <= now_ms]
        return due[:limit]

    def of(self, owner: str, task_id: str, version: int) -> Plan:
        """PlanReader."""
        plan = self.plans.get((task_id, version))
        if plan is None:
            raise NotFound("no such plan")
        return plan

    def _chosen(self, owner: str, chosen: TaskFilter) -> list[Task]:
        return [
            task
            for (of, _), task in self.rows.items()
            if of == owner
            and (not chosen.wallets or task.wallet in chosen.wallets)
            and (not chosen.statuses or task.status in chosen.statuses)
        ]

    def _enabled(self, owner: str) -> int:
        return self.count(owner, TaskFilter(statuses=(TaskStatus.ENABLED,)))


class FakeExecutions:
    def __init__(self, tasks: FakeTasks) -> None:
        self._tasks = tasks
        self.rows: dict[tuple[str, str], Execution] = {}
        self._occurrences: dict[tuple[str, str], tuple[str, int]] = {}
        self._taken_back: dict[tuple[str, str], int] = {}
        self._said: dict[tuple[str, str], int] = {}

    def admit(
        self,
        task: Task,
        occurrence: str,
        execution_id: str,
        record: TriggerRecord,
        now_ms: int,
        life: OccurrenceLife,
    ) -> Admitted:
        known, until = self._occurrences.get((task.id, occurrence), ("", 0))
        if known and until > now_ms:
            return Admitted(self.rows[task.id, known], duplicate=True)
        if 0 < life.said_at <= self._taken_back.get((task.id, occurrence), 0):
            raise PreconditionFailed("taken back", code="OCCURRENCE_ORPHANED")
        stands = self._tasks.rows[task.owner, task.id]
        if life.cooldown_ms and now_ms < stands.cooled_until:
            raise PreconditionFailed("cooling down", code="TASK_COOLING_DOWN")
        if stands.refusal(now_ms):
            raise PreconditionFailed("the task can't run")
        count = stands.execution_count + 1
        self._tasks.rows[task.owner, task.id] = replace(
            stands,
            execution_count=count,
            last_ran_at=now_ms,
            cooled_until=now_ms + life.cooldown_ms if life.cooldown_ms else stands.cooled_until,
        )
        execution = Execution(
            id=execution_id,
            task_id=task.id,
            owner=task.owner,
            index=count - 1,
            status=ExecutionStatus.PENDING,
            trigger=record,
            context=RunContext("Enabled", count, now_ms, 0),
            start_at=now_ms,
            plan_version=task.version,
        )
        self.rows[task.id, execution_id] = execution
        until = now_ms + life.ttl_seconds * 1000
        self._occurrences[task.id, occurrence] = (execution_id, until)
        self._said[task.id, occurrence] = life.said_at
        return Admitted(execution, duplicate=False)

    def get(self, task_id: str, execution_id: str) -> Execution | None:
        return self.rows.get((task_id, execution_id))

    def orphan(self, task_id: str, occurrence: str, said_at: int, ttl_seconds: int) -> bool:
        if self._said.get((task_id, occurrence), 0) > said_at:
            return False
        self._taken_back[task_id, occurrence] = said_at
        known, _ = self._occurrences.get((task_id, occurrence), ("", 0))
        if known:
            self.rows[task_id, known] = replace(self.rows[task_id, known], orphaned_at=said_at)
        return bool(known)

    def unorphan(self, execution: Execution, occurrence: str, said_at: int) -> None:
        self._said[execution.task_id, occurrence] = said_at
        if execution.orphaned_at < said_at:
            self.rows[execution.task_id, execution.id] = replace(execution, orphaned_at=0)

    def end(self, execution: Execution, status: ExecutionStatus, end_at: int) -> Execution:
        """Set a final status, as the walker's last state does."""
        ended = replace(execution, status=status, end_at=end_at)
        self.rows[execution.task_id, execution.id] = ended
        return ended

    def wait(self, execution: Execution) -> None:
        """As an await node does when it opens its wait."""
        waiting = replace(execution, status=ExecutionStatus.WAITING)
        self.rows[execution.task_id, execution.id] = waiting

    def reopen(self, execution: Execution, now_ms: int) -> Execution:
        stands = self.rows[execution.task_id, execution.id]
        if (stands.status, stands.resumes) != (execution.status, execution.resumes):
            raise Conflict("the execution changed meanwhile")
        again = replace(
            stands,
            status=ExecutionStatus.PENDING,
            error="",
            end_at=0,
            skipped=(),
            resumes=stands.resumes + 1,
            resumed_at=now_ms,
        )
        self.rows[execution.task_id, execution.id] = again
        return again

    def page(self, task_ids: Sequence[str], page: PageRequest) -> Page[Execution]:
        rows = [e for (task_id, _), e in self.rows.items() if task_id in task_ids]
        return page_rows(rows, lambda e: e.id, page, newest_first=True)

    def count(self, owner: str, task_ids: Sequence[str]) -> int:
        return sum(e.task_id in task_ids and e.owner == owner for e in self.rows.values())

    def since(self, task_ids: Sequence[str], since_ms: int) -> list[Execution]:
        return [e for e in self.rows.values() if e.task_id in task_ids and e.start_at >= since_ms]

    def open_before(self, before_ms: int, limit: int) -> list[Execution]:
        rows = [e for e in self.rows.values() if not e.status.final and e.start_at < before_ms]
        return sorted(rows, key=lambda e: e.start_at)[:limit]


class FakeSecrets:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[SecretInfo, str]] = {}

    def put(
        self, owner: str, scope: SecretScope, task_id: str, name: str, value: str, now_ms: int
    ) -> bool:
        key = owner, _secret_key(scope, task_id, name)
        old = self.rows.get(key)
        created = old[0].created_at if old else now_ms
        self.rows[key] = (SecretInfo(name, scope, task_id, created, now_ms), value)
        return old is None

    def page(self, owner: str, task_id: str | None, page: PageRequest) -> Page[SecretInfo]:
        rows = [
            info
            for (of, _), (info, _) in self.rows.items()
            if of == owner and task_id in (None, info.task_id)
        ]
        return page_rows(
            rows, lambda i: _secret_key(i.scope, i.task_id, i.name), page, newest_first=False
        )

    def delete(self, owner: str, scope: SecretScope, task_id: str, name: str) -> bool:
        return self.rows.pop((owner, _secret_key(scope, task_id, name)), None) is not None


def _secret_key(scope: SecretScope, task_id: str, name: str) -> str:
    return f"user#{name}" if scope is SecretScope.USER else f"workflow#{task_id}#{name}"


class FakeWallets:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, int, str], Wallet] = {}

    def get(self, owner: str, chain_id: int, address: str) -> Wallet | None:
        return self.rows.get((owner, chain_id, address))

    def find(self, owner: str, address: str) -> Wallet | None:
        found = [w for (of, _, at), w in self.rows.items() if (of, at) == (owner, address)]
        return found[0] if found else None

    def of_owner(self, owner: str, chain_id: int) -> list[Wallet]:
        found = [w for (of, chain, _), w in self.rows.items() if (of, chain) == (owner, chain_id)]
        return sorted(found, key=lambda w: w.salt)

    def put(self, wallet: Wallet, max_per_chain: int) -> bool:
        key = wallet.owner, wallet.chain_id, wallet.address
        if key in self.rows:
            return False
        if len(self.of_owner(wallet.owner, wallet.chain_id)) >= max_per_chain:
            raise QuotaExceeded("too many wallets on this chain")
        self.rows[key] = wallet
        return True

    def set_hidden(self, wallet: Wallet, hidden: bool) -> Wallet:
        changed = replace(wallet, hidden=hidden)
        self.rows[wallet.owner, wallet.chain_id, wallet.address] = changed
        return changed


class FakeGuards:
    def __init__(self) -> None:
        self.until: dict[str, int] = {}

    def take(self, name: str, ttl_seconds: int, now_ms: int) -> bool:
        if self.until.get(name, 0) > now_ms:
            return False
        self.until[name] = now_ms + ttl_seconds * 1000
        return True
