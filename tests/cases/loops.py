"""What a loop does with its items."""

from tests.cases.case import Case, Seen, code, loop, rest

DOUBLE = code("r", "return value * 2")


def _gives(value: object):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "success", seen.error
        assert seen.data("each") == value

    return check


def _some_failed(seen: Seen) -> None:
    assert seen.status == "failed"
    step = seen.step("each")
    assert step["error"].startswith("1 of 3 iterations failed")
    assert step["output"]["data"] == [10, None, 30]


def _whole_failure(text: str):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "failed"
        assert text in seen.step("each")["error"]

    return check


def _three_echoes(seen: Seen) -> None:
    assert seen.status == "success", seen.error
    ids = [item["query"]["id"] for item in seen.data("each")]
    assert ids in ([["a"], ["b"], ["c"]], ["a", "b", "c"])


def _gone_after(seen: Seen) -> None:
    assert seen.status == "success", seen.error
    assert seen.data("after") == "undefined undefined"


def _case(name: str, items: str, value: object, **config: object) -> Case:
    return Case(
        name=name,
        nodes=lambda _: [code("items", items), loop("each", "{{items.data}}", DOUBLE, **config)],
        edges=[("t", "items"), ("items", "each")],
        check=_gives(value),
    )


def _bad(name: str, items: str, text: str) -> Case:
    return Case(
        name=name,
        nodes=lambda _: [code("items", items), loop("each", "{{items.data}}", DOUBLE)],
        edges=[("t", "items"), ("items", "each")],
        check=_whole_failure(text),
    )


CASES = [
    _case("in order", "return [1, 2, 3]", [2, 4, 6]),
    _case("in parallel, results in order", "return [3, 1, 2]", [6, 2, 4], executionMode="Parallel"),
    _case("no items", "return []", []),
    _case(
        "a hundred and twenty items, in chunks",
        "return Array.from({length: 120}, (_, i) => i)",
        [2 * i for i in range(120)],
    ),
    _case(
        "three hundred items in parallel chunks",
        "return Array.from({length: 300}, (_, i) => i)",
        [2 * i for i in range(300)],
        executionMode="parallel",
    ),
    Case(
        name="a result of null is a result",
        nodes=lambda _: [
            code("items", "return [1, 2]"),
            loop("each", "{{items.data}}", code("r", "return null")),
        ],
        edges=[("t", "items"), ("items", "each")],
        check=_gives([None, None]),
    ),
    Case(
        name="a failed item is null and fails the step",
        nodes=lambda _: [
            code("items", "return [1, 2, 3]"),
            loop(
                "each",
                "{{items.data}}",
                code("r", "if (value === 2) throw new Error('two'); return value * 10"),
            ),
        ],
        edges=[("t", "items"), ("items", "each")],
        check=_some_failed,
    ),
    Case(
        name="a request for each item",
        nodes=lambda s: [
            code("items", "return ['a', 'b', 'c']"),
            loop("each", "{{items.data}}", rest("r", s.http + "/echo?id={{value}}")),
        ],
        edges=[("t", "items"), ("items", "each")],
        check=_three_echoes,
    ),
    Case(
        name="item names end with the loop",
        nodes=lambda _: [
            code("items", "return [1]"),
            loop("each", "{{items.data}}", DOUBLE),
            code("after", "return typeof value + ' ' + typeof index"),
        ],
        edges=[("t", "items"), ("items", "each"), ("each", "after")],
        check=_gone_after,
    ),
    _bad("an object is no list", "return {a: 1}", "array"),
    _bad("too many items", "return Array.from({length: 1001}, (_, i) => i)", "1000"),
]
