"""graphqlQuery: one GraphQL request."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from task_engine.compiler.schema.base import Form, Text
from task_engine.compiler.schema.manual import merged_map
from task_engine.compiler.schema.rest_api import HttpUrl

_MAP = dict[str, Any] | list[dict[str, Any]]


class GraphqlQueryConfig(Form):
    """All texts may hold templates."""

    url: HttpUrl
    query: Text
    variables: (
        Annotated[dict[str, Any], BeforeValidator(merged_map, json_schema_input_type=_MAP)] | None
    ) = None
