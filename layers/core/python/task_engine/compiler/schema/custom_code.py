"""customCode: the author's JavaScript."""

from __future__ import annotations

from task_engine.compiler.schema.base import Form, Language, Text


class CustomCodeConfig(Form):
    """`lang` is javascript where it is given."""

    source: Text
    lang: Language | None = None
