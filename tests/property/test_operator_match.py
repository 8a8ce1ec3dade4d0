"""The index of checks against asking every check about every log."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from task_engine.operator.checks import EventCheck
from task_engine.operator.logs import Log
from task_engine.operator.match import ALL_QUERIES, Matcher

from tests.unit.operator.samples import make_log, watch_events, word

ADDRESSES = [f"0x{digit * 40}" for digit in "1234"]
TOPICS = [word(number) for number in range(3)]
MOST = 4


def listed(wanted: str | None) -> st.SearchStrategy[str | None]:
    """How users may write the same topic."""
    return st.sampled_from(["", "null", None] if wanted is None else [wanted, wanted.upper()])


TOPIC = st.one_of(st.none(), st.sampled_from(TOPICS)).flatmap(listed)
QUERIES = st.fixed_dictionaries(
    {
        "addresses": st.lists(st.sampled_from(ADDRESSES), max_size=3),
        "topics": st.lists(TOPIC.map(lambda t: t and t.replace("0X", "0x")), max_size=4),
        "maxEventsPerBlock": st.integers(1, 6),
    }
)
LOGS = st.lists(
    st.tuples(
        st.sampled_from(ADDRESSES),
        st.lists(st.sampled_from(TOPICS), max_size=4),
        st.integers(1, 2),
    ),
    max_size=25,
).map(
    lambda found: [
        make_log(tuple(topics), "0x", address, block=block, index=i, block_hash=word(block))
        for i, (address, topics, block) in enumerate(found)
    ]
)


def naively(log: Log, query: dict[str, Any]) -> bool:
    """What eth_getLogs does, on the query as its author wrote it."""
    if query["addresses"] and log.address not in query["addresses"]:
        return False
    if len(log.topics) < len(query["topics"]):
        return False
    return all(
        wanted in (None, "", "null") or wanted.lower() == topic
        for wanted, topic in zip(query["topics"], log.topics, strict=False)
    )


@settings(deadline=None, max_examples=300)
@given(
    tasks=st.lists(st.lists(QUERIES, min_size=1, max_size=3), max_size=8),
    logs=LOGS,
    cooling=st.booleans(),
)
def test_matcher_when_any_checks_meet_any_logs_then_it_finds_what_each_alone_would(
    tasks: list[list[dict[str, Any]]], logs: list[Log], cooling: bool
) -> None:
    checks: list[EventCheck] = [
        watch_events(f"t{i}", *queries, cooldownSeconds=60 if cooling else 0)
        for i, queries in enumerate(tasks)
    ]

    matched = Matcher(checks, max_events_per_block=MOST).match(logs, 0)

    expected: list[tuple[str, int, int]] = []
    over: set[tuple[str, int, int]] = set()
    for check, queries in zip(checks, tasks, strict=True):
        for block in (1, 2):
            here = [log for log in logs if log.block_number == block]
            taken = {
                log.log_index: [i for i, query in enumerate(queries) if naively(log, query)]
                for log in here
            }
            by_query = Counter(place for places in taken.values() for place in places)
            firing = [(index, places[0]) for index, places in taken.items() if places]
            excess = [i for i, n in sorted(by_query.items()) if n > queries[i]["maxEventsPerBlock"]]
            if excess or len(firing) > MOST:
                over.add((check.id, block, excess[0] if excess else ALL_QUERIES))
                continue
            firing = firing[:1] if cooling else firing
            expected += [(check.id, index, place) for index, place in firing]
    found = [(hit.check.id, hit.log.log_index, hit.query_index) for hit in matched.hits]
    assert sorted(found) == sorted(expected)
    assert {(o.check.id, o.block_number, o.query_index) for o in matched.overloads} == over
