"""Processes are stopped when they are ours, and left alone when they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra_cdk.local.process import ProcessId, spawn
from infra_cdk.local.record import StageRecord, read_record, reap_orphans, stop_recorded
from infra_cdk.local.waiting import StageError, wait_until

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(600)",
]


def _started(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], ProcessId]:
    child = spawn(command, dict(os.environ), log)
    wait_until(lambda: log.read_text() or None, "the child", 20)
    return child, ProcessId.of(child.pid)


def test_stopping_ends_the_children_too(tmp_path: Path) -> None:
    # Given a process that started another one
    child, process = _started(PARENT, tmp_path / "log")
    grandchild = ProcessId.of(int((tmp_path / "log").read_text()))
    # When
    process.stop()
    # Then
    assert child.wait(10) != 0
    assert wait_until(lambda: not grandchild.alive(), "the grandchild's end", 10)


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(tmp_path: Path) -> None:
    # Given a record whose pid was taken by a process with another start time
    child, process = _started(SLEEPER, tmp_path / "log")
    stale = ProcessId(process.pid, started="1")
    try:
        # When
        stale.stop()
        # Then
        assert not stale.alive()
        assert process.alive()
    finally:
        process.stop()
        child.wait(10)


def test_no_such_process(tmp_path: Path) -> None:
    child, process = _started(SLEEPER, tmp_path / "log")
    process.stop()
    child.wait(10)
    assert not process.alive()
    with pytest.raises(StageError, match=str(process.pid)):
        ProcessId.of(process.pid)


def test_a_stage_without_its_owner_is_reaped_and_the_others_stay(tmp_path: Path) -> None:
    # Given one stage whose owner is gone, one with an owner, one that was left running on purpose
    mine = ProcessId.of(os.getpid())
    gone = ProcessId(mine.pid, started="1")
    stages = {"orphan": gone, "owned": mine, "dev": None}
    running = {}
    for name, owner in stages.items():
        (tmp_path / name).mkdir()
        running[name] = _started(SLEEPER, tmp_path / name / "emulator.log")
        StageRecord("http://x", {1: "u"}, {"emulator": running[name][1]}, owner).write(
            tmp_path / name
        )
    try:
        # When
        reap_orphans(tmp_path)
        # Then
        assert {name: process.alive() for name, (_, process) in running.items()} == {
            "orphan": False,
            "owned": True,
            "dev": True,
        }
        assert not (tmp_path / "orphan").exists()
        record = read_record(tmp_path / "owned")
        assert record is not None
        assert (record.chains, record.owner) == ({1: "u"}, mine)
        # And stopping says what ran
        assert stop_recorded(tmp_path / "dev") == 1
        assert stop_recorded(tmp_path / "dev") == 0
    finally:
        for child, process in running.values():
            process.stop()
            child.wait(10)


def test_waiting_names_what_did_not_come() -> None:
    with pytest.raises(StageError, match="the moon: not within 0 s"):
        wait_until(lambda: None, "the moon", 0)
