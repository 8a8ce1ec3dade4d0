"""Notices: written, signed, and read by somebody who trusts nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from task_engine.errors import InvalidRequest
from task_engine.evm.signer import LocalSigner
from task_engine.operator.canonical import canonical, digest_of
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notice_check import NoticeRules, read_notice
from task_engine.operator.notices import NoticeWriter

from tests.fakes.clock import START_MS, FakeClock
from tests.unit.operator.samples import BLOCK_HASH, CHAIN, OWNER, TRANSACTION

KEY = "0x" + "4f" * 32
TASK = "01k9zq2a1b3c5d7e9f1g3h5j7k"
EVENT = Finding(
    Kind.EVENT,
    TASK,
    OWNER,
    3,
    Occurrence(CHAIN, 12, BLOCK_HASH, TRANSACTION, 4),
    {"eventName": "Transfer", "value": "1", "logIndex": 4, "token": "Dollar “X” €"},
)
BLOCK = Finding(Kind.BLOCK, TASK, OWNER, 3, Occurrence(CHAIN, 12, BLOCK_HASH), {"blockNumber": 12})


def write(finding: Finding = EVENT, clock: FakeClock | None = None) -> dict[str, Any]:
    return NoticeWriter(LocalSigner(KEY), clock or FakeClock()).write(finding)


def signed(document: dict[str, Any]) -> str:
    """The document as an operator would sign it, by another implementation."""
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    message = encode_defunct(canonical(unsigned))
    signature = Account.sign_message(message, KEY).signature.hex()
    return json.dumps({**unsigned, "signature": "0x" + signature.removeprefix("0x")})


def problems_of(body: str | bytes, at: int = START_MS) -> set[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refusal:
        read_notice(body, at)
    return {(problem.code, problem.path) for problem in refusal.value.problems}


@pytest.mark.parametrize(
    "finding",
    [
        EVENT,
        BLOCK,
        Finding(Kind.ORPHANED, TASK, OWNER, 3, EVENT.occurrence),
        Finding(Kind.ORPHANED, TASK, OWNER, 3, BLOCK.occurrence),
        Finding(Kind.OVERLOAD, TASK, OWNER, 3, BLOCK.occurrence, {"detected": 9, "limit": 5}),
        Finding(
            Kind.EVENT, f"wait:{TASK}:a node", OWNER, 3, EVENT.occurrence, {"a": [{"b": None}]}
        ),
    ],
)
def test_notice_when_it_is_written_then_reading_gives_the_finding_back(finding: Finding) -> None:
    notice = read_notice(json.dumps(write(finding)), START_MS)

    assert notice.finding == finding
    assert notice.operator == Account.from_key(KEY).address
    assert notice.time_ms == START_MS
    assert notice.digest == digest_of(finding.output)


def test_notice_when_another_implementation_recovers_the_signer_then_it_is_the_operator() -> None:
    document = write()
    signature = document.pop("signature")

    message = encode_defunct(canonical(document))

    operator = Account.recover_message(message, signature=signature)
    assert document["source"] == f"/operators/{operator}"
    assert read_notice(signed(document), START_MS).operator == operator


def test_notice_when_it_is_written_then_it_names_its_occurrence() -> None:
    event, block = write(EVENT), write(BLOCK)

    assert event["id"] == f"event:{TASK}:{CHAIN}:{BLOCK_HASH}:{TRANSACTION}:4"
    assert block["id"] == f"block:{TASK}:{CHAIN}:{BLOCK_HASH}"
    assert event["type"] == "task-engine.notice.event"
    assert event["subject"] == TASK
    assert event["time"] == "2026-01-01T00:00:00.000Z"
    assert block["data"]["occurrence"] == {"blockNumber": 12, "blockHash": BLOCK_HASH}


@pytest.mark.parametrize("place", ["id", "time", "source", "subject"])
def test_notice_when_a_member_is_changed_then_it_is_refused(place: str) -> None:
    document = write()
    document[place] = {
        "id": document["id"] + "0",
        "time": "2026-01-01T00:00:01Z",
        "source": f"/operators/{OWNER}",
        "subject": TASK[:-1] + "m",
    }[place]

    assert problems_of(json.dumps(document))


def test_notice_when_the_output_is_changed_then_signature_and_digest_both_fail() -> None:
    document = write()
    document["data"]["output"]["value"] = "2"

    expected = {("NOTICE_BAD_SIGNATURE", "signature"), ("NOTICE_BAD_DIGEST", "data.digest")}
    assert problems_of(json.dumps(document)) == expected


def test_notice_when_operator_signs_a_wrong_digest_and_id_then_both_are_told() -> None:
    document = write()
    document["data"]["digest"] = BLOCK_HASH
    document["id"] = "event:other"

    assert problems_of(signed(document)) == {
        ("NOTICE_BAD_DIGEST", "data.digest"),
        ("NOTICE_BAD_ID", "id"),
    }


def test_notice_when_it_is_old_or_ahead_then_it_is_refused_at_the_bound() -> None:
    body, rules = json.dumps(write()), NoticeRules()
    oldest, newest = START_MS + rules.max_age_ms, START_MS - rules.max_ahead_ms

    assert read_notice(body, oldest).finding == read_notice(body, newest).finding == EVENT
    assert problems_of(body, oldest + 1) == {("NOTICE_STALE", "time")}
    assert problems_of(body, newest - 1) == {("NOTICE_FROM_FUTURE", "time")}


def test_notice_when_it_is_too_large_then_it_is_not_even_parsed() -> None:
    assert problems_of("x" * (NoticeRules().max_bytes + 1)) == {("NOTICE_TOO_LARGE", "")}


@pytest.mark.parametrize(
    "body",
    ["", "no", "[]", "null", "7", "{", b"\xff", "[" * 100_000, '{"a":NaN}', "9" * 5000, '"\ud800"'],
)
def test_notice_when_it_is_no_json_object_then_it_is_malformed(body: str | bytes) -> None:
    assert problems_of(body) == {("NOTICE_MALFORMED", "")}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", ["1.0"]),
        ("type", "task-engine.notice.block"),
        ("type", {}),
        ("source", f"/operators/{OWNER.lower()}"),
        ("source", None),
        ("time", "2026-01-01"),
        ("time", "2026-13-01T00:00:00Z"),
        ("time", 5),
        ("signature", ""),
        ("extra", "x"),
        ("data", []),
        ("data.kind", "other"),
        ("data.kind", ["event"]),
        ("data.taskId", "not-an-id"),
        ("data.owner", "0x1"),
        ("data.version", True),
        ("data.version", -1),
        ("data.chainId", "1"),
        ("data.chainId", 2**53),
        ("data.digest", "0x"),
        ("data.output", "text"),
        ("data.more", 1),
        ("data.occurrence", None),
        ("data.occurrence.blockNumber", 1.5),
        ("data.occurrence.blockHash", BLOCK_HASH.upper()),
        ("data.occurrence.transactionHash", None),
        ("data.occurrence.logIndex", "4"),
        ("data.occurrence.else", 1),
    ],
)
def test_notice_when_its_form_is_wrong_then_the_place_is_named(path: str, value: Any) -> None:
    document = write()
    *way, last = path.split(".")
    inner = document
    for step in way:
        inner = inner[step]
    inner[last] = value

    assert ("NOTICE_MALFORMED", path) in problems_of(signed_anyhow(document))


def signed_anyhow(document: dict[str, Any]) -> str:
    try:
        return signed(document) if document.get("signature") else json.dumps(document)
    except ValueError:
        return json.dumps(document)


def test_notice_when_a_block_notice_names_a_log_then_it_is_malformed() -> None:
    document = write(BLOCK)
    document["data"]["occurrence"] |= {"transactionHash": TRANSACTION, "logIndex": 1}

    assert ("NOTICE_MALFORMED", "data.occurrence") in problems_of(signed(document))


@pytest.mark.parametrize("signature", ["0x00", "0x" + "00" * 65, "0x" + "ff" * 65, "é"])
def test_notice_when_the_signature_is_none_then_it_is_refused(signature: str) -> None:
    document = {**write(), "signature": signature}

    assert problems_of(json.dumps(document)) == {("NOTICE_BAD_SIGNATURE", "signature")}


def test_canonical_when_members_are_in_any_order_then_the_bytes_are_the_same() -> None:
    one: dict[str, Any] = {
        "b": 1,
        "a": {"d": [2, {"y": None, "x": True}], "c": "é\n\u0001"},
        "\U0001f600": 0,
        "ﬀ": 0,
    }
    other: dict[str, Any] = {"ﬀ": 0, "\U0001f600": 0, **dict(reversed(one.items()))}

    # RFC 8785 sorts by UTF-16 code units: a surrogate pair comes before U+FB00.
    expected = '{"a":{"c":"é\\n\\u0001","d":[2,{"x":true,"y":null}]},"b":1,"\U0001f600":0,"ﬀ":0}'
    assert canonical(one) == canonical(other) == expected.encode()


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, "\ud800"])
def test_canonical_when_there_is_no_one_spelling_then_it_refuses(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - UnicodeEncodeError is one
        canonical(value)
