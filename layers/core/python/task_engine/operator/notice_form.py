"""The form of a notice: which members it has, and what may stand in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

from task_engine.errors import Problem
from task_engine.evm.address import Address, is_address
from task_engine.ids import is_id
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.operator.checks import wait_of
from task_engine.operator.findings import Kind
from task_engine.operator.notices import SOURCE_PREFIX, TYPE_PREFIX

MALFORMED = "NOTICE_MALFORMED"
_MAX_NODE_CHARS = 255
_MAX_NUMBER = 2**53
_HASH = re.compile(r"0x[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})")
# Tuples, since what is looked for in them may be anything.
_KINDS = tuple(kind.value for kind in Kind)
_TYPES = tuple(TYPE_PREFIX + kind for kind in _KINDS)
_OF_A_BLOCK = (Kind.BLOCK.value, Kind.OVERLOAD.value)
_Form = tuple[Callable[[JsonValue], bool], str]


def form_problems(document: JsonObject) -> Iterator[Problem]:
    """Everything that is wrong with the form; nothing else is safe to look at before."""
    data = document.get("data")
    yield from _member_problems(document, _DOCUMENT_FORM, "")
    yield from _unknown(document, [*_DOCUMENT_FORM, "datacontenttype"], "")
    if not isinstance(data, dict):
        return
    yield from _member_problems(data, _DATA_FORM, "data.")
    yield from _unknown(data, _DATA_FORM, "data.")
    if document.get("type") != f"{TYPE_PREFIX}{data.get('kind')}":
        yield Problem(MALFORMED, "type", "is not that of data.kind")
    if document.get("subject") != data.get("taskId"):
        yield Problem(MALFORMED, "subject", "is not data.taskId")
    where = data.get("occurrence")
    if isinstance(where, dict):
        yield from _occurrence_problems(where, data.get("kind"))


def _occurrence_problems(where: Mapping[str, JsonValue], kind: JsonValue) -> Iterator[Problem]:
    yield from _member_problems(where, _BLOCK_FORM, "data.occurrence.")
    has_log = "transactionHash" in where or "logIndex" in where
    if has_log:
        yield from _member_problems(where, _LOG_FORM, "data.occurrence.")
    if has_log and kind in _OF_A_BLOCK:
        yield Problem(MALFORMED, "data.occurrence", "is a log, not a block")
    yield from _unknown(where, [*_BLOCK_FORM, *_LOG_FORM], "data.occurrence.")


def _unknown(
    given: Mapping[str, JsonValue], known: Collection[str], path: str
) -> Iterator[Problem]:
    for name in (name for name in given if name not in known):
        yield Problem(MALFORMED, f"{path}{name[:60]}", "is not a member of a notice")


def _member_problems(
    given: Mapping[str, JsonValue], form: Mapping[str, _Form], path: str
) -> Iterator[Problem]:
    for name, (fits, text) in form.items():
        if not fits(given.get(name)):
            yield Problem(MALFORMED, f"{path}{name}", text)


def _is_source(value: JsonValue) -> bool:
    """With the address in its checksummed form: one operator, one spelling."""
    text = str(value)
    address = text.removeprefix(SOURCE_PREFIX)
    return text.startswith(SOURCE_PREFIX) and is_address(address) and Address(address) == address


def _is_subject(value: JsonValue) -> bool:
    if not isinstance(value, str):
        return False
    wait = wait_of(value)
    return is_id(value) if wait is None else is_id(wait[0]) and 0 < len(wait[1]) <= _MAX_NODE_CHARS


def _is_time(value: JsonValue) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_hash(value: JsonValue) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _is_number(value: JsonValue) -> bool:
    return type(value) is int and 0 <= value < _MAX_NUMBER


_TEXT: _Form = (lambda value: isinstance(value, str) and bool(value), "must be a text")
_OBJECT: _Form = (lambda value: isinstance(value, dict), "must be an object")
_NUMBER: _Form = (_is_number, "must be a whole number of 0 or more")
_HEX_HASH: _Form = (_is_hash, "must be 0x and 64 lower-case hexadecimal digits")
_SUBJECT: _Form = (_is_subject, "must be the id of a task or of a wait")
_DOCUMENT_FORM: dict[str, _Form] = {
    "specversion": (lambda value: value == "1.0", "must be 1.0"),
    "id": _TEXT,
    "source": (_is_source, f"must be {SOURCE_PREFIX}<address>"),
    "type": (
        lambda value: value in _TYPES,
        "must be a type of notice",
    ),
    "subject": _SUBJECT,
    "time": (_is_time, "must be an RFC 3339 time"),
    "data": _OBJECT,
    "signature": _TEXT,
}
_DATA_FORM: dict[str, _Form] = {
    "kind": (lambda value: value in _KINDS, "must be a kind of notice"),
    "taskId": _SUBJECT,
    "owner": (is_address, "must be an address"),
    "version": _NUMBER,
    "chainId": _NUMBER,
    "occurrence": _OBJECT,
    "digest": _HEX_HASH,
    "output": _OBJECT,
}
_BLOCK_FORM: dict[str, _Form] = {"blockNumber": _NUMBER, "blockHash": _HEX_HASH}
_LOG_FORM: dict[str, _Form] = {"transactionHash": _HEX_HASH, "logIndex": _NUMBER}
