"""Uses a sample while something goes wrong, waits for its end, lists what is not as it must be."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra_cdk.local.client import ApiClient
from infra_cdk.local.waiting import StageError
from tests.faults.control import Call, Fault, Watched
from tests.faults.samples import Run, Sample
from tests.faults.world import FINAL, FaultWorld

Json = Any
NOT_REPEATED = "may have taken effect"
# What can't be done twice is not tried again either when its storage stays away.
_UNSURE = (NOT_REPEATED, "no answer in time", "no answer from", "is not available now")
_REST_SECONDS = 20.0
_PATIENCE_SECONDS = 200.0
# The walker's own retries come within seconds; what is quiet longer waits for the sweeper.
_QUIET_SECONDS = 8.0


@dataclass(frozen=True)
class Result:
    """What happened: the calls that were made, how often the fault struck, what is wrong."""

    calls: dict[Call, int]
    struck: int
    problems: list[str]
    swept: int = 0
    ended: tuple[str, ...] = ()


def use(world: FaultWorld, api: ApiClient, sample: Sample, *faults: Fault) -> Result:
    """Create the sample's task, let it run with the faults, look at everything afterwards."""
    key = f"fault-{uuid.uuid4()}"
    run = Run(world, api, key, api.create_task(sample.task(world, key)))
    sample.before(run)
    with world.control.watching(run.task, *sample.faults(), *faults) as watched:
        try:
            sample.act(run)
            swept = _settled(run, sample, watched)
        except (StageError, AssertionError) as error:
            return Result(dict(watched.calls), watched.happened, [f"could not go on: {error}"])
    problems = list(_problems(run, sample))
    ended = tuple(row["id"] for row in world.executions(run.task))
    return Result(dict(watched.calls), watched.happened, problems, swept, ended)


def _settled(run: Run, sample: Sample, watched: Watched) -> int:
    """Wait until all is over; where nothing moves any more, let time pass and sweep. How often."""
    world, started, swept = run.world, time.monotonic(), 0
    moved_at, moves = started, watched.calls.total()
    while not _over(run, sample):
        now = time.monotonic()
        if now - started > _PATIENCE_SECONDS:
            break
        time.sleep(0.15)
        if watched.calls.total() != moves:
            moved_at, moves = now, watched.calls.total()
        elif now - moved_at > _QUIET_SECONDS:
            still = [row for row in world.executions(run.task) if row["status"] not in FINAL]
            walked = any(world.walking(row["id"]) for row in still)
            # A walk that goes on waits for a decision, or for a machine that is slow today.
            if walked and now - moved_at < 3 * _QUIET_SECONDS:
                continue
            swept += 1
            for row in still:
                world.age(row, 6, claims=not walked)
            world.deployment.invoke("Sweeper", {})
            moved_at = now
    _wait_for_the_rest(watched)
    return swept


def _wait_for_the_rest(watched: Watched) -> None:
    """A function may have something left to do when all is over: so may the fault."""
    until = time.monotonic() + _REST_SECONDS
    while not watched.happened and watched.faults and time.monotonic() < until:
        time.sleep(0.05)


def _over(run: Run, sample: Sample) -> bool:
    rows = run.world.executions(run.task)
    ended = len(rows) >= sample.executions and all(row["status"] in FINAL for row in rows)
    return ended and run.world.task(run.api.owner, run.task)["status"] == sample.ends_as


def _problems(run: Run, sample: Sample) -> Iterator[str]:
    world = run.world
    rows, task = world.executions(run.task), world.task(run.api.owner, run.task)
    counted = int(task.get("executionCount", len(rows)))
    if len(rows) != sample.executions or counted != sample.executions:
        yield f"{len(rows)} executions, {counted} counted"
    if [int(row["index"]) for row in rows] != list(range(len(rows))):
        yield f"indexes {[int(row['index']) for row in rows]}"
    if task["status"] != sample.ends_as:
        yield f"the task is {task['status']}"
    for row in rows:
        if row["status"] not in FINAL or "openShard" in row:
            yield f"execution {row['status']}, open: {'openShard' in row}"
            continue
        yield from _of_steps(run, sample, row)


def _of_steps(run: Run, sample: Sample, row: Json) -> Iterator[str]:
    shown = run.api.execution(run.task, row["id"])
    steps = {step["id"]: step for step in shown["steps"]}
    if len(steps) != len(shown["steps"]):
        yield f"steps {[step['id'] for step in shown['steps']]}"
    failed = {name: str(step["error"]) for name, step in steps.items() if step.get("error")}
    allowed = all(name in sample.once and _unsure(text) for name, text in failed.items())
    loops = [str(step.get("output")) for name, step in steps.items() if name in sample.once]
    unsure = bool(failed) or any(_unsure(text) for text in loops)
    if row["status"] not in sample.statuses and not (unsure and allowed):
        yield f"ended as {row['status']}: {row.get('error')} {failed}"
    for name, ends in sample.once.items():
        yield from _counted_once(run, ends, sure=name in steps and not unsure)
    for ends in sample.again.values():
        missed = [end for end in ends if run.world.http.count(run.key + end) < 1]
        if missed:
            yield f"never reached the outside: {missed}"
    if row["status"] == "error":
        # It was given up while a function may have been at work: its claim ends by the clock.
        return
    for claim in run.world.rows("TableSteps", "executionId", row["id"]):
        if claim["status"] in ("running", "open"):
            yield f"{claim['sk']} is still {claim['status']}"


def _unsure(text: str) -> bool:
    return any(reason in text for reason in _UNSURE)


def _counted_once(run: Run, ends: Any, *, sure: bool) -> Iterator[str]:
    for end in ends:
        count = run.world.http.count(run.key + end)
        if count > 1 or (sure and count != 1):
            yield f"an effect that must not be doubled happened {count} times ({end})"
