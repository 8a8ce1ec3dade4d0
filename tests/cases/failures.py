"""What a failed node does to its successors and to the execution."""

from tests.cases.case import Case, Seen, code, rest


def _continues(seen: Seen) -> None:
    assert seen.status == "failed"
    assert seen.error == "1 of 3 steps failed: breaks"
    assert seen.step("breaks")["success"] is False
    assert "it broke" in seen.step("breaks")["error"]
    assert seen.data("after") == "undefined"


def _names_missing(seen: Seen) -> None:
    assert seen.status == "failed"
    assert seen.error == "2 of 3 steps failed: breaks, uses"
    error = seen.step("uses")["error"]
    assert "breaks.data.id" in error
    assert "url" in error
    assert "breaks" in error


def _all_missing_at_once(seen: Seen) -> None:
    error = seen.step("uses")["error"]
    assert "start.data.nothing" in error
    assert "start.data.neither" in error


def _soft(seen: Seen) -> None:
    assert seen.status == "failed"
    step = seen.step("call")
    assert step["success"] is False
    assert step["error"].startswith("HTTP 404")
    assert step["output"]["data"]["status"] == 404
    assert seen.step("after")["success"] is True


def _stops(seen: Seen) -> None:
    assert seen.status == "failed"
    assert sorted(seen.names) == ["beside", "breaks"]
    assert seen.execution["skipped"] == ["after", "last"]


CASES = [
    Case(
        name="what follows a failed node that stops is skipped, what is beside it runs",
        nodes=lambda _: [
            {**code("breaks", "throw new Error('it broke')"), "onError": "stop"},
            code("after", "return 1"),
            code("last", "return 2"),
            code("beside", "return 3"),
        ],
        edges=[("t", "breaks"), ("breaks", "after"), ("after", "last"), ("t", "beside")],
        check=_stops,
    ),
    Case(
        name="successors of a failed node still run",
        nodes=lambda _: [
            code("breaks", "throw new Error('it broke')"),
            code(
                "after", "return typeof breaks === 'undefined' ? 'undefined' : typeof breaks.data"
            ),
        ],
        edges=[("t", "breaks"), ("breaks", "after")],
        check=_continues,
    ),
    Case(
        name="a template on a failed node fails and names it",
        nodes=lambda s: [
            code("breaks", "throw new Error('it broke')"),
            rest("uses", s.http + "/echo?id={{breaks.data.id}}"),
        ],
        edges=[("t", "breaks"), ("breaks", "uses")],
        check=_names_missing,
    ),
    Case(
        name="every missing variable is named",
        nodes=lambda s: [
            rest(
                "uses",
                s.http + "/echo?a={{start.data.nothing}}",
                headers={"X-A": "{{start.data.neither}}"},
            )
        ],
        edges=[("t", "uses")],
        check=_all_missing_at_once,
    ),
    Case(
        name="an HTTP error keeps its output and fails the execution",
        nodes=lambda s: [
            rest("call", s.http + "/status/404"),
            code("after", "return 'ran'"),
        ],
        edges=[("t", "call"), ("call", "after")],
        check=_soft,
    ),
]
