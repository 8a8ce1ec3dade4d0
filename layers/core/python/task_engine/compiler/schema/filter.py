"""filter: keeps elements of a list."""

from __future__ import annotations

from task_engine.compiler.schema.base import Form, Text


class FilterConfig(Form):
    """`inputVariable` is a template or a path."""

    input_variable: Text
    expression: Text
