"""What the state machine does with a plan, by the reference implementation of its language."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.walker.machine import Walked, case, fan, lane, lanes, walk

BRANCH_TAKEN = {"b": [{"next": "done", "tokens": ["b", "b.yes"]}]}
DONE = {"next": "done", "tokens": []}

CASES: dict[str, dict[str, Any]] = {
    "linear": case([lanes(lane(["t"], "a", "b", "c"))]),
    "one node": case([fan(lane(["t"], "a"))]),
    "fan": case([fan(*(lane(["t"], f"n{i}") for i in range(6)))]),
    "untaken arm and its successor are skipped, the join runs": case(
        [
            lanes(lane(["t"], "a", "b")),
            fan(lane(["b.yes"], "x"), lane(["b.no"], "y")),
            fan(lane(["y"], "z")),
            fan(lane(["x", "y", "z"], "join")),
        ],
        BRANCH_TAKEN,
    ),
    "no token at all": case([fan(lane(["other"], "x")), lanes(lane(["x"], "y", "z"))]),
    "two branch edges to one node": case(
        [fan(lane(["t"], "b")), fan(lane(["b.yes", "b.no"], "x"))], BRANCH_TAKEN
    ),
    "retry inside a lane": case(
        [lanes(lane(["t"], "a", "c"))],
        {"a": [{"next": "retry", "waitSeconds": 2, "tries": 1, "tokens": []}]},
    ),
    "retry inside a fan": case(
        [fan(lane(["t"], "a"), lane(["t"], "c"))],
        {"a": [{"next": "retry", "waitSeconds": 2, "tries": 0, "tokens": []}]},
    ),
    "long loop": case(
        [lanes(lane(["t"], "l", "c"))],
        {
            "l": [{"next": "chunks", "chunks": [0, 1, 2], "concurrency": 2, "tokens": []}],
            "l/1": [{"next": "retry", "waitSeconds": 1, "tokens": []}, DONE],
        },
    ),
    "one chunk": case(
        [lanes(lane(["t"], "l"))],
        {"l": [{"next": "chunks", "chunks": [4], "concurrency": 1, "tokens": []}]},
    ),
    "a dead function in a lane": case(
        [lanes(lane(["t"], "a", "c"))], {"a": [{"throw": "Lambda.Unknown"}]}
    ),
    "a dead function in a fan": case(
        [fan(lane(["t"], "a"), lane(["t"], "c")), fan(lane(["a"], "d"))],
        {"a": [{"throw": "States.Timeout"}]},
    ),
    "a wait": case(
        [
            lanes(lane(["t"], "w", "c")),
            fan(lane(["w.approved"], "yes"), lane(["w.rejected"], "no")),
        ],
        {
            "w": [
                {"next": "wait", "tokens": []},
                {"next": "done", "tokens": ["w", "w.approved"]},
            ]
        },
    ),
    "a wait that can't be opened": case(
        [lanes(lane(["t"], "w", "c"))],
        {
            "w": [{"next": "wait", "tokens": []}],
            "w?": [{"throw": "Lambda.Unknown"}],
            "w!": [{"next": "done", "tokens": []}],
        },
    ),
    "a dead chunk": case(
        [lanes(lane(["t"], "l", "c"))],
        {
            "l": [{"next": "chunks", "chunks": [0, 1], "concurrency": 2, "tokens": []}],
            "l/1": [{"throw": "Lambda.Unknown"}],
        },
    ),
}


@pytest.fixture(scope="module")
def walked() -> dict[str, Walked]:
    return dict(zip(CASES, walk(list(CASES.values())), strict=True))


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("linear", ["t", "a", "b", "c"]),
        ("one node", ["t", "a"]),
        ("fan", ["t", "n0", "n1", "n2", "n3", "n4", "n5"]),
        (
            "untaken arm and its successor are skipped, the join runs",
            ["t", "a", "b", "b.yes", "x", "join"],
        ),
        ("no token at all", ["t"]),
        ("two branch edges to one node", ["t", "b", "b.yes", "x"]),
        ("retry inside a lane", ["t", "a", "c"]),
        ("retry inside a fan", ["t", "a", "c"]),
        ("long loop", ["t", "l", "c"]),
        ("one chunk", ["t", "l"]),
        ("a dead function in a lane", ["t", "a", "c"]),
        ("a dead function in a fan", ["t", "a", "c", "d"]),
        ("a dead chunk", ["t", "l", "c"]),
        ("a wait", ["t", "w", "w.approved", "c", "yes"]),
    ],
)
def test_tokens_emitted(walked: dict[str, Walked], name: str, tokens: list[str]) -> None:
    assert walked[name].tokens == tokens
    assert walked[name].invocations[-1] == "finish"


def test_long_loop_runs_each_chunk_and_gathers_them(walked: dict[str, Walked]) -> None:
    assert walked["long loop"].invocations == [
        "l", "l/0", "l/1", "l/1", "l/2", "l", "c", "finish",
    ]  # fmt: skip


def test_a_wait_is_opened_with_its_token_and_then_looked_at(walked: dict[str, Walked]) -> None:
    assert walked["a wait"].invocations == ["w", "w?", "w", "c", "yes", "finish"]


def test_a_wait_that_cant_be_opened_is_a_failed_step(walked: dict[str, Walked]) -> None:
    assert walked["a wait that can't be opened"].invocations[:3] == ["w", "w?", "w!"]


def test_a_dead_function_is_recorded_once(walked: dict[str, Walked]) -> None:
    assert walked["a dead function in a lane"].invocations == ["a", "a!", "c", "finish"]
    assert walked["a dead chunk"].invocations == ["l", "l/0", "l/1", "l!", "c", "finish"]


@pytest.mark.parametrize("length", [1, 2, 10, 50])
def test_a_linear_run_costs_at_most_2n_plus_6_transitions(length: int) -> None:
    stage = lanes(lane(["t"], *(f"n{i}" for i in range(length))))
    assert walk([case([stage])])[0].transitions <= 2 * length + 6


@pytest.mark.parametrize("width", [2, 10, 50])
def test_a_fan_out_costs_at_most_2m_plus_8_transitions(width: int) -> None:
    stage = fan(*(lane(["t"], f"n{i}") for i in range(width)))
    join = fan(lane([f"n{i}" for i in range(width)], "join"))
    assert walk([case([stage, join])])[0].transitions <= 2 * width + 8
