"""Checks as JSON: what the engine's API gives to operators."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.errors import InvalidRequest
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.operator.checks import (
    BlockCheck,
    Check,
    CheckHead,
    EventQuery,
    block_check,
    event_check,
)


@dataclass(frozen=True, slots=True)
class CheckPage:
    """One answer of `GET /operators/{address}/checks`.

    `cursor` is what to ask `after` next time. `full` says that this page starts the whole set
    anew: what the reader has is forgotten. `more` says that another page is there already.
    """

    checks: tuple[Check, ...]
    removed: tuple[str, ...]
    cursor: str
    full: bool = False
    more: bool = False


def check_to_json(check: Check) -> dict[str, JsonValue]:
    """`kind` is block or event; the rest as in the trigger's configuration, normalised."""
    document: dict[str, JsonValue] = {
        "kind": "block" if isinstance(check, BlockCheck) else "event",
        "id": check.id,
        "owner": check.owner,
        "chainId": check.chain_id,
        "version": check.version,
        "sinceMs": check.since_ms,
        "startAt": check.start_at,
        "expiredAt": check.expired_at,
    }
    if isinstance(check, BlockCheck):
        return {**document, "interval": check.interval}
    document["wallet"] = check.wallet
    document["cooldownSeconds"] = check.cooldown_seconds
    document["queries"] = [_query(query) for query in check.queries]
    return document


def check_from_json(document: JsonObject) -> Check:
    """The check that `check_to_json` wrote; raises InvalidRequest for anything else."""
    head = CheckHead(
        id=_text(document, "id"),
        owner=_text(document, "owner"),
        version=_number(document, "version"),
        since_ms=_number(document, "sinceMs"),
        start_at=_number(document, "startAt"),
        expired_at=_number(document, "expiredAt"),
        wallet=str(document.get("wallet") or ""),
    )
    kind = document.get("kind")
    if kind == "block":
        return block_check(head, document)
    if kind == "event":
        return event_check(head, document)
    raise InvalidRequest("a check's kind is block or event")


def page_to_json(page: CheckPage) -> dict[str, JsonValue]:
    """`{data, removed, cursor, full, more}`."""
    return {
        "data": [check_to_json(check) for check in page.checks],
        "removed": list(page.removed),
        "cursor": page.cursor,
        "full": page.full,
        "more": page.more,
    }


def page_from_json(document: JsonObject) -> CheckPage:
    """The page that `page_to_json` wrote; raises InvalidRequest for anything else."""
    data, removed = document.get("data"), document.get("removed")
    if not isinstance(data, list) or not isinstance(removed, list):
        raise InvalidRequest("checks come as lists")
    checks = [check_from_json(entry) for entry in data if isinstance(entry, dict)]
    if len(checks) != len(data):
        raise InvalidRequest("a check is an object")
    return CheckPage(
        checks=tuple(checks),
        removed=tuple(str(name) for name in removed),
        cursor=_text(document, "cursor"),
        full=document.get("full") is True,
        more=document.get("more") is True,
    )


def _query(query: EventQuery) -> dict[str, JsonValue]:
    return {
        "addresses": list[JsonValue](sorted(query.addresses)),
        "topics": list(query.topics),
        "maxEventsPerBlock": query.max_events_per_block,
        "conditions": [
            {
                "fieldName": f"{condition.event}.{condition.field}",
                "operator": condition.operator,
                "value": condition.value,
                "fieldType": condition.type,
            }
            for condition in query.conditions
        ],
        "methodCalls": [
            {
                "methodName": call.name,
                "callData": call.call_data,
                "methodParams": list(call.params),
                "applyToFields": list(call.fields),
            }
            for call in query.method_calls
        ],
        "contractAbi": list(query.contract_abi),
    }


def _text(document: JsonObject, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text")
    return value


def _number(document: JsonObject, name: str) -> int:
    value = document.get(name)
    if type(value) is not int:
        raise InvalidRequest(f"{name} must be a whole number")
    return value
