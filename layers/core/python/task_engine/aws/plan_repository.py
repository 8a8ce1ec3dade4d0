"""Plans: immutable, so kept in memory once read."""

from __future__ import annotations

from collections import OrderedDict

from task_engine.aws.dynamo import Dynamo
from task_engine.aws.packed import Packer
from task_engine.aws.stored import reading
from task_engine.config import Settings
from task_engine.errors import NotFound
from task_engine.model.codec import plan_from_json
from task_engine.model.plan import Plan
from task_engine.run.ports import Run

_KEPT = 64


def plan_key(task_id: str, version: int) -> str:
    """Range key of a plan in the tasks table."""
    return f"{plan_prefix(task_id)}{version}"


def plan_prefix(task_id: str) -> str:
    """What the range keys of all its plans begin with."""
    return f"plan#{task_id}#"


class PlanRepository:
    """Implements PlanStore and PlanReader."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings
        self._kept: OrderedDict[tuple[str, str, int], Plan] = OrderedDict()

    def plan(self, run: Run) -> Plan:
        """The plan that a run walks; raises NotFound."""
        return self.of(run.owner, run.task_id, run.version)

    def of(self, owner: str, task_id: str, version: int) -> Plan:
        """The plan of a task's version; raises NotFound, or Corrupted when it can't be read."""
        key = (owner, task_id, version)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        item = self._dynamo.get(
            self._settings.name("TABLE_TASKS"),
            {"owner": owner, "sk": plan_key(task_id, version)},
            consistent=True,
        )
        if item is None:
            raise NotFound("no such plan")
        with reading("plan"):
            plan = plan_from_json(self._packer.unpack(item["plan"]))
        self._kept[key] = plan
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return plan
