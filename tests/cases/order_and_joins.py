"""Which nodes run, and after which."""

from tests.cases.case import Case, Seen, branch, code


def _all_ok(*names: str):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "success", seen.error
        assert sorted(seen.names) == sorted(names)
        assert all(step["success"] for step in seen.execution["steps"])

    return check


def _join_sees_taken_arm(seen: Seen) -> None:
    _all_ok("choose", "yes", "join")(seen)
    assert seen.data("join") == "from yes, no is undefined"


def _trigger_edge_and_node_edge(seen: Seen) -> None:
    _all_ok("first", "second")(seen)
    assert seen.names == ["first", "second"]
    assert seen.data("second") == 2


def _diamond(seen: Seen) -> None:
    _all_ok("a", "left", "right", "end")(seen)
    assert seen.names[0] == "a"
    assert seen.names[-1] == "end"
    assert seen.data("end") == 3


CASES = [
    Case(
        name="a chain passes outputs on",
        nodes=lambda _: [
            code("one", "return 1"),
            code("two", "return one.data + 1"),
            code("three", "return two.data + 1"),
        ],
        edges=[("t", "one"), ("one", "two"), ("two", "three")],
        check=lambda seen: (
            _all_ok("one", "two", "three")(seen),
            _equals(seen.data("three"), 3),
            _equals(seen.names, ["one", "two", "three"]),
        )[0],
    ),
    Case(
        name="a diamond joins both arms",
        nodes=lambda _: [
            code("a", "return 1"),
            code("left", "return a.data"),
            code("right", "return a.data + 1"),
            code("end", "return left.data + right.data"),
        ],
        edges=[("t", "a"), ("a", "left"), ("a", "right"), ("left", "end"), ("right", "end")],
        check=_diamond,
    ),
    Case(
        name="a join after an untaken arm runs",
        nodes=lambda _: [
            branch("choose", ("c1", "if", "start.data.given"), ("c2", "else", "")),
            code("yes", "return 'from yes'"),
            code("no", "return 'from no'"),
            code("join", "return yes.data + ', no is ' + typeof no"),
        ],
        edges=[
            ("t", "choose"),
            ("choose.c1", "yes"),
            ("choose.c2", "no"),
            ("yes", "join"),
            ("no", "join"),
        ],
        check=_join_sees_taken_arm,
    ),
    Case(
        name="a node fed by two conditions of one branch runs once",
        nodes=lambda _: [
            branch("choose", ("c1", "if", "start.data.given"), ("c2", "else", "")),
            code("after", "return 'ran'"),
        ],
        edges=[("t", "choose"), ("choose.c1", "after"), ("choose.c2", "after")],
        check=_all_ok("choose", "after"),
    ),
    Case(
        name="an ordinary edge from a branch fires whatever was chosen",
        nodes=lambda _: [
            branch("choose", ("c1", "if", "false")),
            code("after", "return 'ran'"),
            code("never", "return 'ran'"),
        ],
        edges=[("t", "choose"), ("choose", "after"), ("choose.c1", "never")],
        check=_all_ok("choose", "after"),
    ),
    Case(
        name="a node with an edge from the trigger and one from a node waits for the node",
        nodes=lambda _: [code("first", "return 1"), code("second", "return first.data + 1")],
        edges=[("t", "first"), ("t", "second"), ("first", "second")],
        check=_trigger_edge_and_node_edge,
    ),
    Case(
        name="skipping spreads through whole arms",
        nodes=lambda _: [
            branch("choose", ("c1", "if", "false"), ("c2", "else", "")),
            code("a", "return 1"),
            code("b", "return 2"),
            branch("inner", ("d1", "if", "true")),
            code("deep", "return 3"),
            code("other", "return 4"),
        ],
        edges=[
            ("t", "choose"),
            ("choose.c1", "a"),
            ("a", "b"),
            ("b", "inner"),
            ("inner.d1", "deep"),
            ("choose.c2", "other"),
        ],
        check=_all_ok("choose", "other"),
    ),
    Case(
        name="independent arms all run",
        nodes=lambda _: [code(f"n{i}", f"return {i}") for i in range(8)],
        edges=[("t", f"n{i}") for i in range(8)],
        check=_all_ok(*(f"n{i}" for i in range(8))),
    ),
]


def _equals(left: object, right: object) -> None:
    assert left == right
