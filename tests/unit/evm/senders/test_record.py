"""What is kept of sending, as JSON and back; prices of replacements."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from task_engine.evm.gas import Fees
from task_engine.evm.senders.record import Attempt, SentRecord

number = st.integers(min_value=0, max_value=2**128)
attempts = st.builds(Attempt, st.text(), number, number, number, number, st.text())


@given(st.builds(SentRecord, st.text(), number, st.lists(attempts).map(tuple)))
def test_a_record_survives_its_storage(record: SentRecord) -> None:
    assert SentRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_only_the_newest_attempt_keeps_its_raw_form() -> None:
    record = SentRecord.starting("0x01", 10)
    for n in range(3):
        record = record.with_attempt(Attempt(f"0x{n}", n, 1, 1, 1, raw="0xraw"))
    assert [attempt.raw for attempt in record.attempts] == ["", "", "0xraw"]
    assert (record.newest.nonce, record.hashes) == (2, ("0x0", "0x1", "0x2"))


def test_blocks_that_may_be_exchanged_are_searched_too() -> None:
    assert SentRecord.starting("0x01", 1000).first_block == 936
    assert SentRecord.starting("0x01", 10).first_block == 0


@given(number, number, number, number)
def test_a_replacement_pays_an_eighth_more_on_both(a: int, b: int, c: int, d: int) -> None:
    before, least = Fees(a, b), Fees(c, d)
    after = before.raised(least)
    for old, new, floor in ((a, after.max_fee, c), (b, after.priority_fee, d)):
        assert new * 8 >= old * 9
        assert new > old
        assert new >= floor
