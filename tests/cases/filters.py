"""What a filter keeps."""

from tests.cases.case import Case, Seen, code, keep

ITEMS = "return [{v: 1, ok: true}, {v: 2}, {v: 3, ok: true}]"


def _kept(value: object):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "success", seen.error
        assert seen.data("kept") == value

    return check


def _failed(seen: Seen) -> None:
    assert seen.status == "failed"
    assert seen.step("kept")["success"] is False


def _case(name: str, source: str, items: str, expression: str, value: object) -> Case:
    return Case(
        name=name,
        data={"limit": 2},
        nodes=lambda _: [code("items", source), keep("kept", items, expression)],
        edges=[("t", "items"), ("items", "kept")],
        check=_kept(value),
    )


def _bad(name: str, source: str, items: str) -> Case:
    return Case(
        name=name,
        nodes=lambda _: [code("items", source), keep("kept", items, "true")],
        edges=[("t", "items"), ("items", "kept")],
        check=_failed,
    )


CASES = [
    _case("by a field", ITEMS, "{{items.data}}", "value.v > 1", [{"v": 2}, {"v": 3, "ok": True}]),
    _case(
        "truthy keeps",
        ITEMS,
        "items.data",
        "value.ok",
        [{"v": 1, "ok": True}, {"v": 3, "ok": True}],
    ),
    _case("by position", ITEMS, "{{items.data}}", "index === 0", [{"v": 1, "ok": True}]),
    _case(
        "with a variable of the run",
        ITEMS,
        "{{items.data}}",
        "value.v >= start.data.limit",
        [{"v": 2}, {"v": 3, "ok": True}],
    ),
    _case(
        "with a template", ITEMS, "{{items.data}}", "value.v == {{start.data.limit}}", [{"v": 2}]
    ),
    _case(
        "a function body",
        ITEMS,
        "{{items.data}}",
        "if (value.v === 1) { return true } return false",
        [{"v": 1, "ok": True}],
    ),
    _case("nothing matches", ITEMS, "{{items.data}}", "false", []),
    _case(
        "an exception drops the item",
        ITEMS,
        "{{items.data}}",
        "value.ok.valueOf()",
        [{"v": 1, "ok": True}, {"v": 3, "ok": True}],
    ),
    _case(
        "one object is a list of one",
        "return {v: 9}",
        "{{items.data}}",
        "value.v === 9",
        [{"v": 9}],
    ),
    _bad("a number can't be filtered", "return 5", "{{items.data}}"),
    _bad("nothing there", "return {}", "{{items.data.nothing}}"),
]
