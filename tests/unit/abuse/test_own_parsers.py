"""What reads texts of strangers takes time in proportion to them, up to the sizes it accepts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from task_engine.api.request_body import json_object
from task_engine.compiler.json_text import is_json
from task_engine.errors import EngineError
from task_engine.evm.abi.coerce import spread
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.net.target import parse_target
from task_engine.processors.graphql_query import GraphqlQueryProcessor
from task_engine.processors.json_text import parse_json
from task_engine.template.case_bridge import other_spelling
from task_engine.template.lexer import tokens
from task_engine.template.pieces import pieces_of
from task_engine.template.scope import Scope
from task_engine.template.script_source import prepare

TEMPLATE_BYTES = 65_536
ANSWER_BYTES = 3_000_000
SECONDS = 2.0


def many(unit: str, size: int) -> str:
    return unit * (size // len(unit))


NAMES = [f'"{n}":0' for n in range(400_000)]
HOSTILE: dict[str, Callable[[], object]] = {
    "patterns of scripts without an end": lambda: list(tokens(many("(/[", TEMPLATE_BYTES))),
    "texts of scripts without an end": lambda: list(tokens(many("'\\'", TEMPLATE_BYTES))),
    "an import and nothing but space": lambda: prepare(
        "import a" + " " * TEMPLATE_BYTES, Scope({})
    ),
    "imported names and nothing but space": lambda: prepare(
        f'import {{a{" " * TEMPLATE_BYTES}}} from "lodash"', Scope({})
    ),
    "braces without an end": lambda: list(pieces_of(many("{{{", TEMPLATE_BYTES))),
    "a template of texts without an end": lambda: list(
        pieces_of("{{" + many('"\\"', TEMPLATE_BYTES))
    ),
    "a name of capitals": lambda: other_spelling("A" * ANSWER_BYTES),
    "an answer of texts without an end": lambda: parse_json("[" * 500 + many('"\\', ANSWER_BYTES)),
    "a text of texts without an end": lambda: is_json("[" * 500 + many('"\\', ANSWER_BYTES)),
    "an argument of texts without an end": lambda: spread(
        [], ["[" * 500 + many('"\\', ANSWER_BYTES)]
    ),
    "a body whose last name stands twice": lambda: json_object(
        ("{" + ",".join([*NAMES, NAMES[-1]]) + "}").encode()
    ),
    "a body of brackets in a text without an end": lambda: json_object(
        b'{"a": "' + b"[\\" * 2_000_000
    ),
    "a url of escapes": lambda: parse_target("http://a/" + many("%2", TEMPLATE_BYTES)),
    "a host of dots": lambda: parse_target("http://" + many("a.", TEMPLATE_BYTES)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_reading_it_takes_a_moment(case: str) -> None:
    # When a text is read that was made to take long
    began = time.process_time()
    try:
        HOSTILE[case]()
    except (EngineError, ValueError) as error:
        # Then it is refused in few words, if it is
        assert len(str(error)) < 500  # noqa: PT017
    # And soon
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("query", "safe"),
    [
        ("{ a }", True),
        ('{ a(x: "mutation") } # mutation', True),
        ('{ a(x: """mutation " x""") }', True),
        ("mutation { a }", False),
        ('{ a(x: "no end) } \n mutation { b }', False),
        ('{ a(x: """no end) }', False),
        ('{ a(x: "' + '\\"' * 30_000, False),
    ],
)
def test_a_query_that_can_not_be_read_is_not_repeated(query: str, safe: bool) -> None:
    began = time.process_time()
    processor = GraphqlQueryProcessor.__new__(GraphqlQueryProcessor)
    node = PlanNode("n", "n", NodeType.GRAPHQL_QUERY, {"query": query}, 1)
    assert processor.replay_safe(node) is safe
    assert time.process_time() - began < SECONDS


def test_a_name_that_stands_twice_is_told_shortly() -> None:
    name = "n" * 100_000
    with pytest.raises(EngineError) as caught:
        json_object(json.dumps({name: 1})[:-1].encode() + f', "{name}": 2}}'.encode())
    assert len(str(caught.value)) < 300
