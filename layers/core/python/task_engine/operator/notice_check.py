"""Whether a notice may be believed: its size, form, age and signature."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from task_engine.errors import InvalidRequest, Problem, Unauthenticated
from task_engine.evm.signature import recover_signer
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.operator.canonical import digest_of
from task_engine.operator.notice_form import MALFORMED, form_problems
from task_engine.operator.notices import (
    SOURCE_PREFIX,
    Notice,
    finding_of,
    notice_id,
    signed_bytes,
)

TOO_LARGE = "NOTICE_TOO_LARGE"
STALE = "NOTICE_STALE"
FROM_FUTURE = "NOTICE_FROM_FUTURE"
BAD_SIGNATURE = "NOTICE_BAD_SIGNATURE"
BAD_DIGEST = "NOTICE_BAD_DIGEST"
BAD_ID = "NOTICE_BAD_ID"

_MAX_LEVELS = 200
# A text without an end is taken whole: looking for another end from each quote is quadratic.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """How large and old a notice may be, and how far ahead its clock."""

    max_bytes: int = 262_144
    max_age_ms: int = 600_000
    max_ahead_ms: int = 60_000


def read_notice(body: str | bytes, received_ms: int, rules: NoticeRules | None = None) -> Notice:
    """The notice in a message, believed as far as it can be without asking anybody.

    `received_ms` is when the message came to us: of one that waited in a queue, when it was put
    there. Whether the operator is registered, the task is there and the occurrence is new is not
    looked at. Raises InvalidRequest with every problem, whose codes are this module's.
    """
    bounds = rules or NoticeRules()
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    if len(raw) > bounds.max_bytes:
        text = f"a notice has {bounds.max_bytes} bytes at most"
        raise _refused([Problem(TOO_LARGE, "", text)])
    document = _document(raw)
    problems = list(form_problems(document))
    if problems:
        raise _refused(problems)
    data = _object(document["data"])
    finding = finding_of(data)
    time_ms = int(datetime.fromisoformat(str(document["time"])).timestamp() * 1000)
    problems += _age_problems(time_ms, received_ms, bounds)
    problems += _signature_problems(document)
    if document["id"] != notice_id(finding):
        problems.append(Problem(BAD_ID, "id", "is not the one of this occurrence and task"))
    problems += _digest_problems(data)
    if problems:
        raise _refused(problems)
    operator = str(document["source"]).removeprefix(SOURCE_PREFIX)
    return Notice(finding, operator, time_ms, str(data["digest"]))


def _document(raw: bytes) -> dict[str, JsonValue]:
    try:
        text = raw.decode()
        if _levels(text) > _MAX_LEVELS:
            raise ValueError("nested too deep")
        parsed = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise _refused([Problem(MALFORMED, "", "is not JSON")]) from error
    if not isinstance(parsed, dict):
        raise _refused([Problem(MALFORMED, "", "is not a JSON object")])
    return parsed


def _levels(text: str) -> int:
    level = deepest = 0
    for mark in _BRACKETS.findall(text):
        level += (mark in "[{") - (mark in "]}")
        deepest = max(deepest, level)
    return deepest


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _age_problems(time_ms: int, received_ms: int, rules: NoticeRules) -> Iterator[Problem]:
    if time_ms < received_ms - rules.max_age_ms:
        text = f"is more than {rules.max_age_ms // 1000} s ago"
        yield Problem(STALE, "time", text)
    if time_ms > received_ms + rules.max_ahead_ms:
        text = f"is more than {rules.max_ahead_ms // 1000} s ahead"
        yield Problem(FROM_FUTURE, "time", text)


def _signature_problems(document: JsonObject) -> Iterator[Problem]:
    source = str(document["source"]).removeprefix(SOURCE_PREFIX)
    try:
        signer = recover_signer(signed_bytes(document), str(document["signature"]))
    except (Unauthenticated, ValueError):
        yield Problem(BAD_SIGNATURE, "signature", "does not verify")
        return
    if signer != source:
        yield Problem(BAD_SIGNATURE, "signature", "is not the source's")


def _digest_problems(data: Mapping[str, JsonValue]) -> Iterator[Problem]:
    try:
        right = digest_of(_object(data["output"])) == data["digest"]
    except ValueError:
        right = False
    if not right:
        yield Problem(BAD_DIGEST, "data.digest", "is not the hash of data.output")


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _refused(problems: list[Problem]) -> InvalidRequest:
    return InvalidRequest("the notice can't be believed", tuple(problems), code=problems[0].code)
