"""What all forms share: strict, camelCase, every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from task_engine.errors import Problem

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_LANGUAGES = {
    "javascript": ("js", "javascript", "lang_javascript", "1"),
    "json": ("json", "lang_json", "2"),
    "graphql": ("graphql", "lang_graphql", "3"),
    "handlebars": ("handlebars", "lang_handlebars", "4"),
}
MAX_ABI_BYTES = 1_048_576


class Form(BaseModel):
    """A JSON object of known fields."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False
    )


def language(value: object) -> object:
    """The language's word for any of its spellings; raises ValueError."""
    text = str(value).lower()
    for word, spellings in _LANGUAGES.items():
        if text in spellings:
            return word
    raise ValueError("must be javascript, json, graphql or handlebars")


def address_or_template(value: object) -> object:
    """Raises ValueError unless it is an address or a template that will be one."""
    if isinstance(value, str) and ("{{" in value or _ADDRESS.fullmatch(value.strip())):
        return value
    raise ValueError("must be an address: 0x and 40 hexadecimal digits")


Language = Annotated[str, BeforeValidator(language)]
Address = Annotated[str, BeforeValidator(address_or_template)]
ChainId = Annotated[int, Field(gt=0, strict=True)]
Text = Annotated[str, Field(min_length=1)]


def problems_of(form: type[Form], value: object, path: str, code: str) -> list[Problem]:
    """Everything wrong with `value`; `code` for what is there and wrong, MISSING_REQUIRED_FIELD for
    what is not there."""
    try:
        form.model_validate(value)
    except ValidationError as error:
        return [_problem(dict(found), path, code) for found in error.errors(include_url=False)]
    return []


def _problem(found: dict[str, Any], path: str, code: str) -> Problem:
    place = path + _place(found["loc"])
    name = str(found["loc"][-1]) if found["loc"] else path
    match found["type"]:
        case "missing":
            return Problem("MISSING_REQUIRED_FIELD", place, f"{name} is required")
        case "string_too_short":
            return Problem("MISSING_REQUIRED_FIELD", place, f"{name} is required")
        case "extra_forbidden":
            return Problem(code, place, f"{name} is not a field here: remove it")
        case "value_error":
            text = str(found["ctx"]["error"])
            problem = "INVALID_ADDRESS" if text.startswith("must be an address") else code
            return Problem(problem, place, f"{name} {text}")
    return Problem(code, place, f"{name}: {found['msg'][:1].lower()}{found['msg'][1:]}")


def _place(parts: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
