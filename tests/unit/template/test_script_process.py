"""Work in a child: its answer, its deadline, its end."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from task_engine.errors import NodeError
from task_engine.template.failures import ScriptError
from task_engine.template.script_process import run_in_child


def _raise(error: Exception) -> str:
    raise error


def _forever() -> str:
    while True:
        pass


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_text_comes_back_from_another_process() -> None:
    pid = int(run_in_child(lambda: str(os.getpid()), 5, "work"))
    assert pid != os.getpid()
    assert _gone(pid)


@pytest.mark.parametrize("text", ["", "\n", "é😀\n\n", "x" * 20_000_000])
def test_any_text_comes_back_whole(text: str) -> None:
    assert run_in_child(lambda: text, 20, "work") == text


def test_nothing_that_the_child_does_is_seen_here() -> None:
    seen: list[int] = []
    run_in_child(lambda: str(seen.append(1)), 5, "work")
    assert seen == []


def test_at_the_deadline_the_child_is_killed(tmp_path) -> None:  # noqa: ANN001
    note = tmp_path / "pid"

    def work() -> str:
        note.write_text(str(os.getpid()))
        return _forever()

    with pytest.raises(
        NodeError, match=r"timeout: the work did not end within 0\.2 seconds"
    ) as caught:
        run_in_child(work, 0.2, "work")
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"
    assert _gone(int(note.read_text()))


def test_a_child_that_ignores_signals_is_killed_too() -> None:
    def work() -> str:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        return _forever()

    with pytest.raises(NodeError, match="timeout"):
        run_in_child(work, 0.2, "work")


def test_a_child_that_dies_is_an_error() -> None:
    with pytest.raises(NodeError, match="the work ended without a result") as caught:
        run_in_child(lambda: os.kill(os.getpid(), signal.SIGKILL) or "", 5, "work")  # type: ignore[func-returns-value]
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"


def test_errors_keep_their_kind() -> None:
    with pytest.raises(ScriptError) as script:
        run_in_child(lambda: _raise(ScriptError("mine\nand more")), 5, "work")
    assert script.value.message == "mine\nand more"
    with pytest.raises(NodeError) as node:
        run_in_child(lambda: _raise(NodeError("x", code="INVALID_NODE_CONFIG")), 5, "work")
    assert (node.value.message, node.value.stable_code) == ("x", "INVALID_NODE_CONFIG")
    assert not isinstance(node.value, ScriptError)


def test_an_unforeseen_error_tells_its_kind_only() -> None:
    with pytest.raises(NodeError, match=r"without a result \(KeyError\)"):
        run_in_child(lambda: _raise(KeyError("secret")), 5, "work")


def test_a_slow_child_does_not_hold_up_those_of_other_threads() -> None:
    # Given a child that ends only when it is told to
    reading, writing = os.pipe()
    with ThreadPoolExecutor(5) as pool:
        slow = pool.submit(run_in_child, lambda: os.read(reading, 4).decode(), 60.0, "work")
        # When others run meanwhile
        quick = [pool.submit(run_in_child, lambda: "done", 30.0, "work") for _ in range(20)]
        # Then they end, and it has not
        assert [one.result() for one in quick] == ["done"] * 20
        assert not slow.done()
        os.write(writing, b"told")
        assert slow.result() == "told"
    os.close(reading)
    os.close(writing)
