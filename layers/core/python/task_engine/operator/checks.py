"""Checks: what an operator watches for one task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TypeAlias

from task_engine.errors import InvalidRequest
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerType

DEFAULT_COOLDOWN_SECONDS = 300
DEFAULT_EVENTS_PER_BLOCK = 500
MAX_TOPICS = 4
STATE_SECONDS = 60
"""How often a contract's state is asked for: as often as blocks may fire a task."""
FORMATTING = "decimals"
"""A call of this method formats fields; it is none whose answer is asked for."""
_WAIT = "wait:"
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_TOPIC = re.compile(r"0x(?:[0-9a-f]{64}|[0-9a-f]{40})")
_ANYTHING = frozenset({"", "null"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of an event compared with a value; `type` "" = the one the ABI says."""

    event: str
    field: str
    operator: str
    value: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A read of the log's contract; a `decimals` call formats the fields it is applied to."""

    name: str
    call_data: str = ""
    params: tuple[JsonValue, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Logs by contract and topics, and what their fields must be.

    `addresses` in lower case, none = any contract. `topics` by position, 32 bytes in lower-case
    hex, None = anything; a log must have at least as many. `contract_abi` as its author wrote it.
    """

    addresses: frozenset[str] = frozenset()
    topics: tuple[str | None, ...] = ()
    max_events_per_block: int = DEFAULT_EVENTS_PER_BLOCK
    conditions: tuple[Condition, ...] = ()
    method_calls: tuple[MethodCall, ...] = ()
    contract_abi: tuple[JsonValue, ...] = ()

    @property
    def asks_state(self) -> bool:
        """Whether it waits for no log, but asks its contracts: by method calls, without topics."""
        if self.topics or not self.addresses:
            return False
        return any(call.name != FORMATTING for call in self.method_calls)

    def takes(self, address: str, topics: tuple[str, ...]) -> bool:
        """Whether a log's contract and topics are meant: the rule that the index must keep to."""
        if self.addresses and address not in self.addresses:
            return False
        if len(topics) < len(self.topics):
            return False
        meant = all(
            wanted is None or wanted == topic
            for wanted, topic in zip(self.topics, topics, strict=False)
        )
        return meant and not self.asks_state


@dataclass(frozen=True, slots=True)
class _Check:
    """What all checks say.

    `id` names the task, or a waiting execution. `version` grows with every change of the check and
    goes back to the engine in notices. `since_ms` is when it was (last) switched on: blocks before
    that are none of its business. `start_at` and `expired_at` in ms, 0 = none.
    """

    id: str
    owner: str
    chain_id: int
    version: int
    since_ms: int
    start_at: int
    expired_at: int

    def in_force(self, now_ms: int) -> bool:
        """Whether the engine would let the task run now, as far as the time is concerned."""
        return self.start_at <= now_ms and (self.expired_at <= 0 or now_ms <= self.expired_at)


@dataclass(frozen=True, slots=True)
class EventCheck(_Check):
    """Fires for a log that at least one query takes, and at multiples of `interval` for which one
    that asks for a state finds its conditions met. `wallet` is the task's, in lower case."""

    queries: tuple[EventQuery, ...] = ()
    cooldown_seconds: int = DEFAULT_COOLDOWN_SECONDS
    wallet: str = ""

    @property
    def asks_state(self) -> bool:
        """Whether any of its queries does."""
        return any(query.asks_state for query in self.queries)

    @property
    def interval(self) -> int:
        """Blocks between questions for a state: the same for every operator."""
        return ceil(STATE_SECONDS / Chain(self.chain_id).block_seconds)


@dataclass(frozen=True, slots=True)
class BlockCheck(_Check):
    """Fires at block numbers that are multiples of `interval`."""

    interval: int = 1


Check: TypeAlias = EventCheck | BlockCheck


@dataclass(frozen=True, slots=True)
class CheckHead:
    """What a check has besides its trigger's configuration; see the fields of a check."""

    id: str
    owner: str
    version: int = 1
    since_ms: int = 0
    start_at: int = 0
    expired_at: int = 0
    wallet: str = ""


def wait_check_id(execution_id: str, node_id: str) -> str:
    """Names the check of an execution that waits for an event."""
    return f"{_WAIT}{execution_id}:{node_id}"


def wait_of(check_id: str) -> tuple[str, str] | None:
    """The execution and the node that a check's id names, None for the id of a task."""
    if not check_id.startswith(_WAIT):
        return None
    execution_id, _, node_id = check_id.removeprefix(_WAIT).partition(":")
    return execution_id, node_id


def check_of(task: Task, *, version: int = 0, since_ms: int = 0) -> Check | None:
    """The check of a task; None when its trigger is none that operators watch.

    `version` 0 = the task's, `since_ms` 0 = when it was created. Raises InvalidRequest,
    INVALID_TRIGGER_CONFIG, for a configuration that can't be watched.
    """
    head = CheckHead(
        id=task.id,
        owner=task.owner,
        version=version or task.version,
        since_ms=since_ms or task.created_at,
        start_at=task.start_at,
        expired_at=task.expired_at,
        wallet=task.wallet,
    )
    trigger = task.definition.trigger
    if trigger.type is TriggerType.BLOCK:
        return block_check(head, trigger.config)
    if trigger.type is TriggerType.EVENT:
        return event_check(head, trigger.config)
    return None


def block_check(head: CheckHead, config: JsonObject) -> BlockCheck:
    """A check of a block trigger's configuration; raises InvalidRequest."""
    interval = _whole(config.get("interval"), "interval", least=1)
    return BlockCheck(*_common(head, config), interval=interval)


def event_check(head: CheckHead, config: JsonObject) -> EventCheck:
    """A check of an event trigger's configuration (a trigger's, or an await node's `chainEvent`).

    Raises InvalidRequest, also for a template that nobody resolved.
    """
    queries = config.get("queries")
    if not isinstance(queries, list) or not queries:
        raise _refused("queries must be a list with at least one query")
    cooldown = config.get("cooldownSeconds")
    return EventCheck(
        *_common(head, config),
        queries=tuple(_query(_object(query, "a query")) for query in queries),
        cooldown_seconds=DEFAULT_COOLDOWN_SECONDS
        if cooldown is None
        else _whole(cooldown, "cooldownSeconds"),
        wallet=head.wallet.lower(),
    )


def _common(head: CheckHead, config: JsonObject) -> tuple[str, str, int, int, int, int, int]:
    chain_id = _whole(config.get("chainId"), "chainId", least=1)
    times = (head.since_ms, head.start_at, head.expired_at)
    return (head.id, head.owner, chain_id, head.version, *times)


def _query(raw: Mapping[str, JsonValue]) -> EventQuery:
    topics = _list(raw, "topics")
    if len(topics) > MAX_TOPICS:
        raise _refused(f"a log has {MAX_TOPICS} topics at most")
    most = raw.get("maxEventsPerBlock")
    return EventQuery(
        addresses=frozenset(_address(address) for address in _list(raw, "addresses")),
        topics=tuple(_topic(topic) for topic in topics),
        max_events_per_block=DEFAULT_EVENTS_PER_BLOCK
        if most is None
        else _whole(most, "maxEventsPerBlock", least=1),
        conditions=tuple(_condition(_object(c, "a condition")) for c in _list(raw, "conditions")),
        method_calls=tuple(_call(_object(c, "a method call")) for c in _list(raw, "methodCalls")),
        contract_abi=tuple(_list(raw, "contractAbi")),
    )


def _condition(raw: Mapping[str, JsonValue]) -> Condition:
    """`X` alone stands for `X.X`."""
    event, _, name = str(raw.get("fieldName", "")).strip().partition(".")
    return Condition(
        event=event,
        field=name or event,
        operator=str(raw.get("operator", "")),
        value=str(raw.get("value", "")),
        type=str(raw.get("fieldType") or "").strip(),
    )


def _call(raw: Mapping[str, JsonValue]) -> MethodCall:
    return MethodCall(
        name=str(raw.get("methodName", "")).strip(),
        call_data=str(raw.get("callData") or ""),
        params=tuple(_list(raw, "methodParams")),
        fields=tuple(str(field) for field in _list(raw, "applyToFields")),
    )


def _address(value: JsonValue) -> str:
    text = str(value).strip().lower()
    if not _ADDRESS.fullmatch(text):
        raise _refused(f"{str(value)[:80]!r} is not an address")
    return text


def _topic(value: JsonValue) -> str | None:
    """32 bytes, an address among them padded; None for anything."""
    text = "" if value is None else str(value).strip().lower()
    if text in _ANYTHING:
        return None
    if not _TOPIC.fullmatch(text):
        raise _refused(f"{str(value)[:80]!r} is not a topic")
    return "0x" + text[2:].rjust(64, "0")


def _list(raw: Mapping[str, JsonValue], name: str) -> list[JsonValue]:
    value = raw.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _refused(f"{name} must be a list")
    return value


def _object(value: JsonValue, what: str) -> Mapping[str, JsonValue]:
    if not isinstance(value, Mapping):
        raise _refused(f"{what} must be an object")
    return value


def _whole(value: JsonValue, name: str, *, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise _refused(f"{name} must be a whole number of at least {least}")
    return value


def _refused(text: str) -> InvalidRequest:
    return InvalidRequest(text, code="INVALID_TRIGGER_CONFIG")
