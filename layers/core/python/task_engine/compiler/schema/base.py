"""What all forms share: strict, camelCase, every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from task_engine.errors import Problem

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_LANGUAGES = {
    "javascript": ("js", "javascript", "lang_javascript", "1"),
    "json": ("json", "lang_json", "2"),
    "graphql": ("graphql", "lang_graphql", "3"),
    "handlebars": ("handlebars", "lang_handlebars", "4"),
}


class Form(BaseModel):
    """A JSON object of known fields, read without any conversion."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        alias_generator=to_camel,
        populate_by_name=False,
    )


def language(value: object) -> object:
    """The language's word for any of its spellings; raises ValueError."""
    text = str(value).lower() if isinstance(value, str | int) else ""
    for word, spellings in _LANGUAGES.items():
        if text in spellings:
            return word
    raise ValueError("must be javascript, json, graphql or handlebars")


def is_address(value: object) -> bool:
    """0x (or 0X) and 40 hexadecimal digits of any case."""
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def has_template(value: object) -> bool:
    """Whether a text will be something else when it is used."""
    return isinstance(value, str) and "{{" in value


def _address(value: str) -> str:
    if has_template(value) or is_address(value.strip()):
        return value
    raise PydanticCustomError("address", "must be an address: 0x and 40 hexadecimal digits")


def _filled(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("missing", "is required")
    return value


def matching(pattern: str, told: str) -> Callable[[str], str]:
    """A validator for texts that are empty, hold a template, or match; `told` says what to do."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not value or has_template(value) or compiled.fullmatch(value):
            return value
        raise ValueError(told)

    return check


def described(pattern: str = "", *examples: str) -> Any:  # noqa: ANN401 - a field's metadata
    """What the API's description says of a text; it is a validator that refuses."""
    told: JsonDict = {"pattern": pattern} if pattern else {}
    return Field(json_schema_extra={**told, **({"examples": list(examples)} if examples else {})})


TEMPLATE = r"\{\{"
Text = Annotated[str, AfterValidator(_filled), described(r"\S")]
Language = Annotated[
    str,
    BeforeValidator(language, json_schema_input_type=Literal[tuple(_LANGUAGES)] | str | int),
]
Address = Annotated[
    Text,
    AfterValidator(_address),
    described(
        rf"^\s*0[xX][0-9a-fA-F]{{40}}\s*$|{TEMPLATE}", "0x5a8A51f4C6F4A2F2b9D4d8e9B2C1d3E4F5061728"
    ),
]
ChainId = Annotated[int, Field(gt=0, le=2**53)]
Wei = Annotated[
    str,
    AfterValidator(matching(r"[0-9]{1,78}", "must be a whole decimal number")),
    described(rf"^([0-9]{{1,78}})?$|{TEMPLATE}", "1000000000000000"),
]
CallData = Annotated[
    str,
    AfterValidator(matching(r"0x(?:[0-9a-fA-F]{2})*", "must be 0x and hexadecimal bytes")),
    described(rf"^(0x([0-9a-fA-F]{{2}})*)?$|{TEMPLATE}", "0x70a08231"),
]


def problems_of(form: type[Form], value: object, path: str, code: str) -> list[Problem]:
    """Everything wrong with `value`; `code` for what is there and wrong, MISSING_REQUIRED_FIELD for
    what is not there, INVALID_ADDRESS for what should be an address, OPTION_UNSUPPORTED for what
    the contract knows and this engine does not."""
    try:
        form.model_validate(value)
    except ValidationError as error:
        return [_problem(dict(found), path, code) for found in error.errors(include_url=False)]
    return []


_TOLD = {
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "too_short": "needs at least {min_length}",
    "too_long": "may have {max_length} at most",
    "string_too_long": "may have {max_length} characters at most",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:.0f}",
    "literal_error": "must be {expected}",
    "extra_forbidden": "is not a field here: remove it",
    "value_error": "{error}",
    "address": "must be an address: 0x and 40 hexadecimal digits",
}
# Kinds that have a code of their own, wherever they stand.
_CODES = {"address": "INVALID_ADDRESS", "unsupported": "OPTION_UNSUPPORTED"}
_ABSENT = frozenset({"missing", "dict_type", "model_type", "list_type", "string_type", "int_type"})


def _problem(found: dict[str, Any], path: str, code: str) -> Problem:
    place = (path + _place(found["loc"])).lstrip(".")
    name = _name(place)
    kind = found["type"]
    if kind == "missing" or (kind in _ABSENT and found.get("input") is None):
        # Clients of the contract look for the chain's name in either spelling.
        text = f"{name} is required" + (" (chain_id)" if name == "chainId" else "")
        return Problem("MISSING_REQUIRED_FIELD", place, text)
    told = _TOLD.get(kind)
    text = told.format(**found.get("ctx", {})) if told else found["msg"]
    return Problem(_CODES.get(kind, code), place, f"{name} {text}")


def _place(parts: Iterable[str | int]) -> str:
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{str(part)[:100]}" for part in parts
    )


def _name(place: str) -> str:
    return place.rpartition(".")[2] or "the value"
