"""Templates and expressions that name a node which does not run before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from task_engine.compiler.graph_check import topological
from task_engine.compiler.node_check import CODE, conditions_of, texts_of
from task_engine.compiler.schema.loop import item_names
from task_engine.errors import Problem
from task_engine.model.json_value import JsonObject
from task_engine.model.node import Node, NodeType, variable_name
from task_engine.template.lexer import Kind, Token, tokens
from task_engine.template.paths import parse_path
from task_engine.template.pieces import pieces_of

_FILTER_NAMES = frozenset({"value", "index"})
_BINDS = re.compile(r"=>|\bfunction\b|\bcatch\b|\b(?:let|const|var|class)\b")


def reference_problems(
    nodes: Sequence[tuple[int, Node]], parents: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """For nodes with their places in the request; only what is sure to be wrong.

    Names that no node has may be call-time variables; names that an expression itself binds, and
    whatever a script asks with `typeof`, are left alone.
    """
    ordinals = {node.id: place for place, (_, node) in enumerate(nodes)}
    before = _ancestors(ordinals, parents)
    by_name = {variable_name(node.name, node.id): node.id for _, node in nodes}
    for place, node in nodes:
        for path, shown, names in _reads(node, f"nodes[{place}].config"):
            for name in names:
                target = by_name.get(name)
                if target is not None and not before[node.id] >> ordinals[target] & 1:
                    text = f"{shown[:100]}: the node {target!r} does not run before this one"
                    yield Problem(CODE, path, text)


def _ancestors(ordinals: Mapping[str, int], parents: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """One bit per node: the union of ancestors stays cheap for thousands of nodes."""
    before: dict[str, int] = {}
    for node_id in topological(parents):
        mask = 0
        for parent in parents[node_id]:
            mask |= before[parent] | 1 << ordinals[parent]
        before[node_id] = mask
    return before


def _reads(node: Node, path: str) -> Iterator[tuple[str, str, Iterable[str]]]:
    """(place, text to show, names that it reads)."""
    config = node.config
    bound: frozenset[str] = frozenset()
    if node.type is NodeType.FILTER:
        bound = _FILTER_NAMES
        yield from _whole(config, "expression", path, bound)
    if node.type is NodeType.BRANCH:
        for place, expression in conditions_of(config, path):
            if "{{" not in expression:
                yield place, expression, _names(expression)
    if node.type in (NodeType.FILTER, NodeType.LOOP):
        yield from _whole(config, "inputVariable", path, frozenset())
    if node.type is NodeType.LOOP:
        bound = frozenset(item_names(dict(config)))
    for place, text in texts_of(dict(config), path):
        for piece in pieces_of(text):
            if piece.expression:
                yield place, f"{{{{{piece.text}}}}}", _names(piece.text) - bound


def _whole(
    config: JsonObject, field: str, path: str, bound: frozenset[str]
) -> Iterator[tuple[str, str, Iterable[str]]]:
    """A field that is an expression without braces."""
    text = config.get(field)
    if isinstance(text, str) and "{{" not in text:
        yield f"{path}.{field}", text, _names(text) - bound


def _names(expression: str) -> frozenset[str]:
    """Variables that an expression reads for sure."""
    path = parse_path(expression.strip())
    if path is not None:
        return frozenset({str(path[0])})
    listed = [token for token in tokens(expression) if token.kind not in _SILENT]
    free = {
        token.text
        for place, token in enumerate(listed)
        if token.kind is Kind.NAME and _is_read(listed, place)
    }
    if _BINDS.search(expression):
        # Which names are its own is for a parser to say: only the first word is sure.
        first = listed[0].text if listed else ""
        after = listed[1].text if len(listed) > 1 else ""
        return frozenset(free & {first}) if after in (".", "?.", "[") else frozenset()
    return frozenset(free)


_SILENT = frozenset({Kind.SPACE, Kind.COMMENT})


def _is_read(listed: Sequence[Token], place: int) -> bool:
    before = listed[place - 1].text if place else ""
    after = listed[place + 1].text if place + 1 < len(listed) else ""
    is_key = after == ":" and before in ("{", ",")
    return before not in (".", "?.", "typeof") and not is_key
