"""Pages of lists."""

from __future__ import annotations

from task_engine.api.cursors import DEFAULT_LIMIT, MAX_LIMIT
from task_engine.api.openapi.operation import Parameter
from task_engine.api.openapi.shapes import FLAG, TEXT, Schema, fields, told

PAGE_PARAMETERS = (
    Parameter("after", TEXT, "A cursor: the page that follows it. Wins over `before`."),
    Parameter("before", TEXT, "A cursor: the page that precedes it."),
    Parameter(
        "limit",
        {"type": "integer", "minimum": 0, "default": DEFAULT_LIMIT},
        f"Rows of a page; 0 = {DEFAULT_LIMIT}, more than {MAX_LIMIT} count as {MAX_LIMIT}.",
    ),
)
SCHEMAS: dict[str, Schema] = {
    "PageInfo": fields(
        {"hasNextPage": FLAG, "hasPreviousPage": FLAG},
        {
            "startCursor": told(TEXT, "The first row's; absent on an empty page."),
            "endCursor": told(TEXT, "The last row's; absent on an empty page."),
        },
        "Cursors are opaque, and good for the list that they come from.",
    ),
    "Total": fields({"total": {"type": "integer", "minimum": 0}}),
}
