"""Files and values that users write: JSON or YAML."""

from __future__ import annotations

import json
import sys
from collections.abc import Hashable
from pathlib import Path

import yaml

from task_engine_cli.failures import InputError
from task_engine_client.document import Json


class _PlainLoader(yaml.SafeLoader):
    """YAML with JSON's types only: dates stay the text they are, a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Json]:
        """As the safe loader, but a key given twice is an error, not the last one's value."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_object(name: str) -> dict[str, Json]:
    """The object in a JSON or YAML file, `-` is standard input; raises InputError."""
    content = read_text(name)
    try:
        document = _parsed(content, strict=name.endswith(".json"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        kind = "JSON" if name.endswith(".json") else "YAML"
        raise InputError(f"{name} is not {kind}: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{name} must hold an object, not {_kind(document)}")
    return _as_json(document, name)


def _parsed(content: str, *, strict: bool) -> Json:
    """As JSON, else (unless `strict`) as YAML: YAML has no tabs where JSON may."""
    try:
        return json.loads(content, object_pairs_hook=_unique)
    except ValueError:
        if strict:
            raise
    return yaml.load(content, _PlainLoader)  # noqa: S506 a safe loader


def read_text(name: str) -> str:
    """A UTF-8 file, `-` is standard input; raises InputError."""
    try:
        if name == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return Path(name).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{name} can't be read: {error}") from error


def parse_value(option: str, given: str) -> Json:
    """A JSON value given as text, `@FILE` (JSON or YAML) or `-`; raises InputError."""
    if given == "-" or given.startswith("@"):
        return read_object(given.removeprefix("@"))
    try:
        return json.loads(given)
    except ValueError as error:
        raise InputError(f"{option} is not JSON: {error}") from error


def parse_object(option: str, given: str) -> dict[str, Json]:
    """As `parse_value`, for objects only."""
    value = parse_value(option, given)
    if not isinstance(value, dict):
        raise InputError(f"{option} must be a JSON object, not {_kind(value)}")
    return value


def as_yaml(document: Json) -> str:
    """A document as YAML, fields in their order."""
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return text


def _as_json(document: Json, name: str) -> dict[str, Json]:
    """Only what JSON has: YAML's keys may be numbers, its values infinite or recursive."""
    try:
        plain: dict[str, Json] = json.loads(json.dumps(document, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{name} holds what JSON can't: {error}") from error
    return plain


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {max(names, key=names.count)!r} stands twice")
    return document


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a text", type(None): "nothing", bool: "true or false"}
    return kinds.get(type(value), "a number")
