"""The task that is measured: five customCode, two restApi, branch, filter, loop of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cases.case import Case, branch, code, keep, loop, rest


def _ten(name: str, script: Callable[[str], str]) -> Case:
    """`script` makes a node's source of the expression that it returns."""

    def made(node: str, expression: str) -> dict[str, Any]:
        return code(node, script(expression))

    return Case(
        name=name,
        data={"items": [1, 2, 3]},
        nodes=lambda servers: [
            made("first", "start.data.items.map(i => i * 2)"),
            rest("ask", servers.http + "/echo?n={{first.data[0]}}"),
            made("second", "{method: ask.data.method, items: first.data}"),
            keep("kept", "{{second.data.items}}", "value > 2"),
            branch("choose", ("some", "if", "kept.data.length > 0"), ("none", "else", "")),
            made("third", "kept.data[0]"),
            loop("each", "{{kept.data}}", made("r", "value + 1"), executionMode="parallel"),
            rest("tell", servers.http + "/echo?n={{third.data}}"),
            made("fourth", "each.data.length"),
            made("fifth", "fourth.data + 1"),
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


TEN_NODES = _ten("ten nodes", lambda value: f"return {value}")
TEN_SCRIPTS = _ten("ten scripts", lambda value: f"const made = {value}; return made")
