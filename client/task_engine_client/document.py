"""Reading JSON documents field by field; unknown fields are nobody's problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = Any
"""Any decoded JSON value."""
Document = Mapping[str, Json]
"""A JSON object."""


def text(document: Document, name: str) -> str:
    """A text, "" when it is absent or something else."""
    value = document.get(name)
    return value if isinstance(value, str) else ""


def whole(document: Document, name: str) -> int | None:
    """A whole number, None when it is absent or something else."""
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(document: Document, name: str) -> bool:
    """Whether the field is true."""
    return document.get(name) is True


def mapping(document: Document, name: str) -> Document:
    """An object, an empty one when it is absent or something else."""
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def objects(document: Document, name: str) -> tuple[Document, ...]:
    """The objects of a list, in order."""
    return tuple(item for item in _items(document, name) if isinstance(item, Mapping))


def texts(document: Document, name: str) -> tuple[str, ...]:
    """The texts of a list, in order."""
    return tuple(item for item in _items(document, name) if isinstance(item, str))


def wholes(document: Document, name: str) -> tuple[int, ...]:
    """The whole numbers of a list, in order."""
    items = _items(document, name)
    return tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool))


def given(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """A request's fields without those that are None."""
    return {name: value for name, value in pairs if value is not None}


def _items(document: Document, name: str) -> list[Json]:
    value = document.get(name)
    return value if isinstance(value, list) else []
