"""At every call that a function on the way of a task makes: its process dies, its answer is lost,
AWS throttles, fails, is silent or knows of nothing yet. Every execution still gets its end, nothing
happens twice, nothing is left behind.

`make faults` runs all of it; `make test` every so-and-so-many-th case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from infra_cdk.local.waiting import StageError, wait_until
from tests.faults.every_call import Case, Every, never_seen
from tests.faults.world import FaultWorld

pytestmark = pytest.mark.deployed

WHOLE = os.environ.get("FAULTS") == "all"
# Prime, so that the sample meets every kind of fault and every function.
_EVERY_NTH = 41
_KINDS = ("die before", "die after", "lost", "throttled", "unavailable", "timed out", "stale")
# Read by an attempt that follows a cut-off one alone.
_RARE = {"node_loop GetItem steps"}
# Notices, their votes, and waits for events need a chain; so do all rows of operators.
_OF_CHAINS = {
    "node_await BatchGetItem executions",
    "node_await BatchGetItem steps",
    "trigger BatchGetItem tasks",
    "trigger UpdateItem guards",
}


@pytest.fixture(scope="module")
def every(faulty: FaultWorld, request: pytest.FixtureRequest) -> Iterator[Every]:
    """The samples' calls, recorded with nothing going wrong."""
    recorded = Every.of(faulty)
    yield recorded
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line("")
        for line in recorded.told:
            reporter.write_line(line)
    assert faulty.left_in_queues() == {}


def test_with_no_fault_every_sample_ends_as_it_must(every: Every) -> None:
    assert {n: r.problems for n, r in every.recorded.items() if r.problems} == {}


def test_the_samples_reach_every_function_and_table_operation(every: Every) -> None:
    missing = {what for what in never_seen(every.calls()) if not what.endswith(" operators")}
    assert missing - _OF_CHAINS <= _RARE


@pytest.mark.parametrize("kind", _KINDS)
def test_whatever_happens_at_a_call_everything_ends_once(
    every: Every, faulty: FaultWorld, kind: str
) -> None:
    cases = every.cases()
    chosen = cases if WHOLE else cases[::_EVERY_NTH]
    used = every.run([case for case in chosen if case.fault.kind == kind])
    swept = sum(u.result.swept > 0 for u in used)
    missed = [u.case for u in used if not u.result.struck]
    told = f"{kind}: {len(used)} cases, {swept} needed the sweeper, {len(missed)} never struck"
    every.told.append(told)
    assert [str(u) for u in used if u.result.problems] == []
    # A process that has the plan in memory does not read it again; and a later call of a place may
    # have been recorded of a message that came twice, as messages may.
    spared = [case for case in missed if case.fault.nth == 1]
    assert [str(c) for c in spared if "PlanRepository.plan" not in str(c)] == [], "never struck"
    assert len(missed) <= len(used) // 10
    wait_until(lambda: not faulty.left_in_queues(), "empty queues", 120)
    announce = [u for u in used if _announces(u.case)]
    with suppress(StageError):
        wait_until(lambda: not every.unannounced(announce), "all announcements", 60, 0.5)
    assert every.unannounced(announce) == []


def _announces(case: Case) -> bool:
    """A bus that is down loses the announcement, never the run. And the emulator's bus does not
    repeat an event whose function died, as AWS does."""
    down = case.fault.call.service == "events" and not case.fault.kind.startswith("die")
    return not down and case.sample.name != "a walk stopped by hand"
