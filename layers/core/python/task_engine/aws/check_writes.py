"""Writes of checks, for the transactions that change what they are made of."""

from __future__ import annotations

from dataclasses import replace

from task_engine.aws.dynamo import Put
from task_engine.aws.packed import compressed
from task_engine.config import Settings
from task_engine.errors import InvalidRequest
from task_engine.model.task import Task
from task_engine.operator.check_codec import check_to_json
from task_engine.operator.checks import Check, check_of

WATCHED = "watched"
GONE = "gone"
GONE_DAYS = 7
"""How long the end of a check can be read; who was away for longer reads the whole set again."""


# An item has 400 kB at most, and the index a copy of it.
_MOST_BYTES = 350_000


def check_group(chain_id: int) -> str:
    """The partition of a chain's checks."""
    return f"checks#{chain_id}"


def rechecked(task: Task, now_ms: int) -> Task:
    """The task with the next version of its check; as it is when nobody watches for it.

    Versions grow with every change of a task, also where two machines' clocks differ.
    """
    if not task.definition.trigger.type.on_chain:
        return task
    return replace(task, check_version=max(now_ms, task.check_version + 1))


class CheckWrites:
    """What stands in the operators' table about a task or a wait."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def of_task(self, task: Task, now_ms: int, *, deleted: bool = False) -> list[Put]:
        """The check as the task now is, [] when nobody watches for it."""
        if not task.definition.trigger.type.on_chain:
            return []
        chain_id = task.definition.trigger.config.get("chainId")
        if not isinstance(chain_id, int):
            return []
        if deleted or not task.watched:
            return [self.gone(chain_id, task.id, task.owner, (task.check_version, now_ms))]
        check = check_of(task, version=task.check_version, since_ms=task.check_version)
        return [] if check is None else [self.watched(check)]

    def watched(self, check: Check, until_ms: int = 0) -> Put:
        """From now on this is watched for, `until_ms` at the longest (0 = no end). Raises
        InvalidRequest for what is too large to be handed to operators."""
        packed = compressed(check_to_json(check))
        if len(packed) > _MOST_BYTES:
            text = "the trigger is too large to be watched: shorten its interfaces"
            raise InvalidRequest(text, code="INVALID_TRIGGER_CONFIG")
        row = {
            "group": check_group(check.chain_id),
            "sk": check.id,
            "version": check.version,
            "state": WATCHED,
            "owner": check.owner,
            "check": packed,
        }
        if until_ms:
            row["expiresAt"] = until_ms // 1000 + GONE_DAYS * 86_400
        return Put(self._settings.name("TABLE_OPERATORS"), row)

    def gone(self, chain_id: int, check_id: str, owner: str, times: tuple[int, int]) -> Put:
        """It is watched for no longer; `times` are its version and now, in ms."""
        version, now_ms = times
        return Put(
            self._settings.name("TABLE_OPERATORS"),
            {
                "group": check_group(chain_id),
                "sk": check_id,
                "version": version,
                "state": GONE,
                "owner": owner,
                "expiresAt": now_ms // 1000 + GONE_DAYS * 86_400,
            },
        )
