"""`make load`: prints what was measured, and fails where a promise does not hold."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.stage import LocalStage, start_stage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import Servers
from tests.e2e.engine import Deployment
from tests.load.memory import Memory, memory
from tests.load.owners import BUSY_SHARES, Ended, Owner, arrivals, ended, executions, make_owners

LETTERS = ("Executions", "Notices", "FailedEvents", "MissedEvents", "MissedSchedules")
CALIBRATION = 48
BURST = 30
ALONE_SECONDS = 60
AT_ONCE = 6
SLOWER = 2.0
GROWN = 1.3


@dataclass
class Load:
    """A stage under load; `rows` are printed, `broken` are promises that did not hold."""

    stage: LocalStage
    owners: list[Owner]
    http: HttpServer
    started: dict[str, list[str]] = field(default_factory=dict)
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def row(self, what: str, value: float | str, unit: str = "") -> None:
        """One line of the table."""
        self.rows.append((what, value if isinstance(value, str) else f"{value:,.1f}", unit))

    def promise(self, holds: bool, what: str) -> None:
        """Remember what does not hold."""
        if not holds:
            self.broken.append(what)

    def fire(self, coming: Iterable[Owner], per_second: float) -> set[str]:
        """Trigger at a steady pace, whether or not the earlier ones have ended; returns the ids of
        the executions that came of it, once they all have their end."""
        sys.stderr.write(f"{time.strftime('%X')}: {per_second:.1f} executions/s\n")
        began, ids = time.monotonic(), []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number, owner in enumerate(coming):
                # A pace to keep, not a state to wait for.
                time.sleep(max(0.0, began + number / per_second - time.monotonic()))
                ids.append(pool.submit(self._trigger, owner))
        fired = {future.result() for future in ids}
        wait_until(lambda: fired <= self.over(), "the end of all executions", 300, 1.0)
        return fired

    def capacity(self, coming: list[Owner]) -> float:
        """Executions a second, so many at once that nothing piles up."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            # The first ones start the processes that the later ones find.
            list(pool.map(lambda owner: self._trigger(owner, blocking=True), coming[:AT_ONCE]))
            began = time.monotonic()
            list(pool.map(lambda owner: self._trigger(owner, blocking=True), coming[AT_ONCE:]))
        return (len(coming) - AT_ONCE) / (time.monotonic() - began)

    def _trigger(self, owner: Owner, *, blocking: bool = False) -> str:
        execution = owner.trigger(blocking=blocking)
        self.started.setdefault(owner.key, []).append(execution)
        return execution

    def over(self) -> set[str]:
        """Ids of all executions that have their end."""
        return {e.id for owner in self.owners for e in ended(self.stage, owner)}

    def quiet(self, fired: set[str]) -> list[Ended]:
        """Of these executions, those of the quiet owners."""
        every = (e for owner in self.owners[1:] for e in ended(self.stage, owner))
        return [e for e in every if e.id in fired]


def percentile(found: list[Ended], share: float) -> float:
    """Of the times, in ms."""
    times = sorted(e.ms for e in found)
    return float(times[min(len(times) - 1, int(len(times) * share))])


def measure(load: Load, count: int, share: float) -> None:
    """The quiet owners alone, all of them together, and a burst of the busy one."""
    shares = [BUSY_SHARES, *[1] * (len(load.owners) - 1)]
    only_quiet = [0, *shares[1:]]
    capacity = load.capacity(list(arrivals(load.owners, CALIBRATION, only_quiet)))
    load.row(f"what this machine walks, {AT_ONCE} at once", capacity, "executions/s")
    pace = capacity * share
    quiet_pace = pace * sum(only_quiet) / sum(shares)
    few = min(120, max(10, int(quiet_pace * ALONE_SECONDS)))
    alone = load.quiet(load.fire(arrivals(load.owners, few, only_quiet), quiet_pace))
    _latency(load, "quiet owners alone", alone)

    before = memory(load.stage)
    began = time.monotonic()
    first = count // 4
    coming = list(arrivals(load.owners, count, shares))
    fired = load.fire(coming[:first], pace)
    early = memory(load.stage)
    fired |= load.fire(coming[first:], pace)
    late = memory(load.stage)
    load.row(f"{count} executions at {share:.0%} of that", time.monotonic() - began, "s")
    together = load.quiet(fired)
    _latency(load, "quiet owners beside the busy one", together)
    for name, part in (("median", 0.5), ("p90", 0.9)):
        slower = percentile(together, part) / percentile(alone, part)
        load.row(f"slower by ({name})", slower, f"times (promised: {SLOWER:g})")
        load.promise(slower <= SLOWER, f"quiet owners are {slower:.1f} times slower ({name})")
    _memory(load, (before, early, late))

    # All walks begin at once: here nothing but the functions' concurrency is shared fairly or not.
    burst = [load.owners[0]] * BURST + load.owners[1:11]
    _latency(load, f"quiet owners behind a burst of {BURST}", load.quiet(load.fire(burst, 1000)))


def _latency(load: Load, what: str, found: list[Ended]) -> None:
    load.row(f"{what}: median", percentile(found, 0.5), "ms")
    load.row(f"{what}: p90", percentile(found, 0.9), "ms")


def _memory(load: Load, seen: tuple[Memory, Memory, Memory]) -> None:
    for when, now in zip(("before", "after a quarter", "at the end"), seen, strict=True):
        load.row(f"{now.workers} workers {when}: median", now.median, "MB")
        load.row(f"{now.workers} workers {when}: largest", now.largest, "MB")
    _, early, late = seen
    steady = late.median <= GROWN * early.median and late.largest <= GROWN * early.largest
    load.promise(steady, "the workers' memory grows")


def check(load: Load) -> None:
    """Nothing lost, nothing doubled, nothing left over."""
    total = 0
    for owner in load.owners:
        rows = executions(load.stage, owner)
        total += len(rows)
        wrong = [row["status"] for row in rows if row["status"] != "success"]
        load.promise(not wrong, f"{owner.key}: {len(wrong)} executions ended as {set(wrong)}")
        indexes = [int(row["index"]) for row in rows]
        load.promise(indexes == list(range(len(rows))), f"{owner.key}: indexes have gaps")
        ids = set(load.started.get(owner.key, []))
        load.promise(ids == {row["id"] for row in rows}, f"{owner.key}: others than were started")
        counted = load.http.count(owner.key)
        load.promise(counted == len(rows), f"{owner.key}: {counted} effects of {len(rows)}")
    load.row("executions, each with its one effect", f"{total:,}")
    deployment, sqs = Deployment(load.stage), load.stage.aws.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for name in ("ExecutionQueueUrl", *(f"DeadLetters{letters}Url" for letters in LETTERS)):
        url = deployment.output(name)
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        depth = sum(int(found[part]) for part in names)
        load.promise(depth == 0, f"{name}: {depth} messages")
    load.row("messages left in queues", "0" if not load.broken else "see below")


def main() -> int:
    """Exit status 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--owners", type=int, default=50)
    parser.add_argument("--share", type=float, default=0.5, help="of what the machine can do")
    parser.add_argument("--out", type=Path, default=Path(".local/load.json"))
    chosen = parser.parse_args()
    stage = start_stage(LocalSettings.for_own_stage(), "load", progress=lambda _: None)
    try:
        with HttpServer() as http:
            owners = make_owners(stage, Servers(http.url, ""), chosen.owners)
            load = Load(stage, owners, http)
            measure(load, chosen.count, chosen.share)
            check(load)
    finally:
        stage.stop()
    table = Table(title="load", title_justify="left")
    for column in ("what", "value", "unit"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for row in load.rows:
        table.add_row(*row)
    Console(width=110).print(table)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps({"rows": load.rows, "broken": load.broken}, indent=1))
    for broken in load.broken:
        sys.stderr.write(f"NOT KEPT: {broken}\n")
    return 1 if load.broken else 0


if __name__ == "__main__":
    sys.exit(main())
