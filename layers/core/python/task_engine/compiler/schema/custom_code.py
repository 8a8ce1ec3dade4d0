"""customCode: the author's JavaScript."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from task_engine.compiler.schema.base import Form, Language, Text


def _javascript(word: str) -> str:
    if word != "javascript":
        raise ValueError("must be javascript")
    return word


class CustomCodeConfig(Form):
    """`lang` is javascript where it is given."""

    source: Text
    lang: Annotated[Language, AfterValidator(_javascript)] | None = None
