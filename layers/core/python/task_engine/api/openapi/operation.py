"""What the description says about one route, besides what the route itself tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from task_engine.api.openapi.shapes import Schema


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or a request header (`place`); lists repeat their key."""

    name: str
    schema: Schema
    description: str
    required: bool = False
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Success:
    """A reply that is no problem; `schema` None = without a body."""

    description: str
    schema: Schema | None = None
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """`errors` are those of this route alone; `event` is the file of events/api whose body is the
    example; `path` describes the route's variables."""

    id: str
    summary: str
    replies: Mapping[int, Success]
    description: str = ""
    path: Mapping[str, Schema] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    body_required: bool = True
    errors: tuple[int, ...] = ()
    event: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """Operations by `METHOD /path`, and the schemas that only their replies and bodies use."""

    tag: str
    description: str
    operations: Mapping[str, Operation]
    schemas: Mapping[str, Schema] = field(default_factory=dict)
