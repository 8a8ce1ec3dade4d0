"""The task that is measured: five customCode, two restApi, branch, filter, loop of one."""

from __future__ import annotations

from tests.cases.case import Case, branch, code, keep, loop, rest

TEN_NODES = Case(
    name="ten nodes",
    data={"items": [1, 2, 3]},
    nodes=lambda servers: [
        code("first", "return start.data.items.map(i => i * 2)"),
        rest("ask", servers.http + "/echo?n={{first.data[0]}}"),
        code("second", "return {method: ask.data.method, items: first.data}"),
        keep("kept", "{{second.data.items}}", "value > 2"),
        branch("choose", ("some", "if", "kept.data.length > 0"), ("none", "else", "")),
        code("third", "return kept.data[0]"),
        loop("each", "{{kept.data}}", code("r", "return value + 1"), executionMode="parallel"),
        rest("tell", servers.http + "/echo?n={{third.data}}"),
        code("fourth", "return each.data.length"),
        code("fifth", "return fourth.data + 1"),
    ],
    edges=[
        ("t", "first"),
        ("first", "ask"),
        ("ask", "second"),
        ("second", "kept"),
        ("kept", "choose"),
        ("choose.some", "third"),
        ("third", "each"),
        ("each", "tell"),
        ("tell", "fourth"),
        ("fourth", "fifth"),
    ],
    check=lambda seen: None,
)
