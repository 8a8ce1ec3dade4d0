"""Steps of executions: claimed, loaded for, stored, read."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from task_engine.aws.dynamo import Dynamo, Query, Update
from task_engine.aws.execution_codec import execution_from_item, record_from_json
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.aws.secret_reader import SecretReader
from task_engine.aws.step_codec import (
    chunk_prefix,
    outcome_from_json,
    outcome_to_json,
    sort_key,
    step_from_item,
)
from task_engine.aws.stored import reading
from task_engine.config import Settings
from task_engine.errors import ConditionFailed, NotFound
from task_engine.model.execution import Execution, Outcome, Step, StepStatus
from task_engine.model.json_value import JsonValue
from task_engine.run.ports import Claim, Loaded, Run, StepKey

_RUNNING = StepStatus.RUNNING.value
_KEPT_HEADERS = 64


class StepRepository:
    """Implements StepStore. A claim, a load and a store are one call each; values that went to the
    blob store and secrets that are not in memory add theirs."""

    def __init__(
        self, dynamo: Dynamo, packer: Packer, secrets: SecretReader, settings: Settings
    ) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._secrets = secrets
        self._settings = settings
        self._headers: OrderedDict[str, Execution] = OrderedDict()

    def claim(self, run: Run, key: StepKey, lease_ms: int, now_ms: int) -> Claim:
        """One conditional update; its old values tell what was there before.

        `holder` names this very call: when its answer was lost on the way and the call repeated,
        what it finds is its own claim; `previous` keeps what that claim found.
        """
        holder = os.urandom(8).hex()
        update = Update(
            self._table(),
            self._key(run, key),
            "SET #status = :running, #walk = :walk, #holder = :holder, #leaseUntil = :until, "
            "#previous = if_not_exists(#walk, :nobody), #startAt = :now, "
            "#attempt = if_not_exists(#attempt, :zero) + :one",
            {
                "running": _RUNNING,
                "walk": run.walk,
                "holder": holder,
                "until": now_ms + lease_ms,
                "now": now_ms,
                "zero": 0,
                "one": 1,
                "nobody": "",
            },
            "attribute_not_exists(#sk) OR (#status = :running AND "
            "(#walk = :walk OR #walk = :nobody OR #leaseUntil < :now))",
        )
        try:
            old = self._dynamo.update(update, "ALL_OLD")
        except ConditionFailed as error:
            return self._refused(error, now_ms)
        before = int(old.get("attempt", 0))
        if old.get("holder") == holder:
            return Claim(attempt=before, interrupted=bool(old.get("previous")))
        return Claim(attempt=before + 1, interrupted=bool(old.get("walk")))

    def _refused(self, error: ConditionFailed, now_ms: int) -> Claim:
        item: Item = error.item or {}
        if item.get("status") != _RUNNING:
            # Only its tokens are needed: the outcome may be large and is not read.
            return Claim(
                attempt=int(item.get("attempt", 1)),
                stored=step_from_item({**item, "sk": _plain(item["sk"])}, Outcome()),
            )
        held = int(item.get("leaseUntil", 0)) - now_ms
        return Claim(attempt=int(item.get("attempt", 1)), held_ms=max(1, held))

    def release(self, run: Run, key: StepKey) -> None:
        """Nothing happens when the claim is not this walk's any more."""
        update = Update(
            self._table(),
            self._key(run, key),
            "SET #walk = :nobody, #leaseUntil = :zero",
            {"nobody": "", "zero": 0, "running": _RUNNING, "walk": run.walk},
            "#status = :running AND #walk = :walk",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            return

    def load(self, run: Run, reads: Iterable[StepKey], secrets: Iterable[str]) -> Loaded:
        """One batch over executions, steps and secrets; none when all is in memory."""
        names = list(secrets)
        execution = self._headers.get(run.execution_id)
        keys: dict[str, Sequence[dict[str, object]]] = {
            self._table(): [self._key(run, key) for key in reads],
            self._settings.name("TABLE_EXECUTIONS"): (
                [] if execution else [{"taskId": run.task_id, "id": run.execution_id}]
            ),
        }
        if names:
            keys[self._settings.name("TABLE_SECRETS")] = self._secrets.keys(run, names)
        found = self._dynamo.batch_get(keys) if any(keys.values()) else {}
        if execution is None:
            headers = found[self._settings.name("TABLE_EXECUTIONS")]
            execution = self._remember(headers)
        steps = [self._step(item) for item in found.get(self._table(), [])]
        stored = found.get(self._settings.name("TABLE_SECRETS"), []) if names else []
        return Loaded(
            execution=execution,
            steps={step.node_id: step for step in steps if step.status is not StepStatus.RUNNING},
            secrets=self._secrets.resolve(run, names, stored),
        )

    def _remember(self, headers: list[Item]) -> Execution:
        """What a node reads of a header never changes during the run."""
        if not headers:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        item = headers[0]
        record = record_from_json(self._packer.unpack(item["trigger"]))
        execution = execution_from_item(item, record)
        self._headers[execution.id] = execution
        if len(self._headers) > _KEPT_HEADERS:
            self._headers.popitem(last=False)
        return execution

    def store(self, run: Run, step: Step) -> Step:
        """The first result stands, whoever stores the second."""
        key = StepKey(step.ordinal, step.node_id)
        blob = f"steps/{run.execution_id}/{step.ordinal}/{step.attempt}"
        update = Update(
            self._table(),
            self._key(run, key),
            "SET #status = :status, #name = :name, #type = :type, #startAt = :start, "
            "#endAt = :end, #attempt = :attempt, #tokens = :tokens, #result = :result "
            "REMOVE #walk, #holder, #previous, #leaseUntil",
            {
                "status": step.status.value,
                "name": step.name,
                "type": step.type.value,
                "start": step.start_at,
                "end": step.end_at,
                "attempt": step.attempt,
                "tokens": list(step.tokens),
                "result": self._packer.pack(outcome_to_json(step.outcome), blob),
                "running": _RUNNING,
            },
            "attribute_not_exists(#sk) OR #status = :running",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed as error:
            return self._step(error.item) if error.item else step
        return step

    def steps(self, execution_id: str) -> list[Step]:
        """By ordinal; digits sort before the `chunk#` of chunk rows."""
        query = Query(
            self._table(),
            "#executionId = :id AND #sk < :chunks",
            {"id": execution_id, "chunks": "chunk#"},
            consistent=True,
        )
        return [self._step(item) for item in self._dynamo.rows(query)]

    def store_chunk(self, run: Run, key: StepKey, items: list[JsonValue], finished: bool) -> None:
        """Keeps the items; a finished chunk stays as it is."""
        blob = f"steps/{run.execution_id}/{key.ordinal}/chunk-{key.chunk}-{len(items)}"
        update = Update(
            self._table(),
            self._key(run, key),
            "SET #status = :status, #items = :items, #walk = :nobody, #leaseUntil = :zero",
            {
                "status": StepStatus.SUCCESS.value if finished else _RUNNING,
                "items": self._packer.pack(items, blob),
                "nobody": "",
                "zero": 0,
                "running": _RUNNING,
            },
            "#status = :running",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            return

    def chunk_items(self, run: Run, key: StepKey) -> list[JsonValue]:
        """[] when none were kept."""
        item = self._dynamo.get(self._table(), self._key(run, key)) or {}
        return list(self._packer.unpack(item["items"])) if "items" in item else []

    def chunks(self, run: Run, key: StepKey) -> dict[int, list[JsonValue]]:
        """Finished ones only."""
        query = Query(
            self._table(),
            "#executionId = :id AND begins_with(#sk, :prefix)",
            {
                "id": run.execution_id,
                "prefix": chunk_prefix(key),
                "status": StepStatus.SUCCESS.value,
            },
            filter="#status = :status",
            consistent=True,
        )
        return {
            int(str(item["sk"]).rpartition("#")[2]): list(self._packer.unpack(item["items"]))
            for item in self._dynamo.rows(query)
        }

    def _step(self, item: Item) -> Step:
        stored = item.get("result")
        with reading("step"):
            outcome = outcome_from_json(self._packer.unpack(stored)) if stored else Outcome()
            return step_from_item(item, outcome)

    def _table(self) -> str:
        return self._settings.name("TABLE_STEPS")

    @staticmethod
    def _key(run: Run, key: StepKey) -> dict[str, object]:
        return {"executionId": run.execution_id, "sk": sort_key(key)}


def _plain(key: str) -> str:
    """A chunk's key as that of its loop's step."""
    return key.removeprefix("chunk#").rpartition("#")[0] if key.startswith("chunk#") else key
