"""One typed value of a contract's interface: an input, an output or a member of a struct.

Names, types and their canonical spelling follow the contract ABI specification:
https://docs.soliditylang.org/en/latest/abi-spec.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from task_engine.model.json_value import JsonValue

MAX_DEPTH = 8
_TYPE = re.compile(
    r"(?P<base>address|bool|string|function|tuple|byte|bytes|u?int|u?fixed)"
    r"(?P<size>[1-9][0-9]{0,2})?(?:x(?P<decimals>[1-9][0-9]?))?"
    r"(?P<dimensions>(?:\[[0-9]{0,9}\])*)"
)
_DEFAULT_SIZE = {"int": 256, "uint": 256, "fixed": 128, "ufixed": 128, "function": 24}


class MalformedAbi(ValueError):
    """A part of an ABI that can't be read; the text names it. Turned into a NodeError above."""


@dataclass(frozen=True, slots=True)
class AbiParameter:
    """A name and a type.

    `base` is the elementary type without its size ("uint", "bytes", "tuple", ...); `size` counts
    bits of numbers and bytes of `bytesN` and is 0 for everything else; `dimensions` are array
    lengths as they are written, None for a dynamic one; `components` are a tuple's members.
    """

    name: str
    base: str
    size: int = 0
    decimals: int = 0
    dimensions: tuple[int | None, ...] = ()
    components: tuple[AbiParameter, ...] = ()
    indexed: bool = False

    @property
    def type(self) -> str:
        """The canonical spelling, as it stands in signatures: `(address,uint256)[]`."""
        return self._spelling("function")

    @property
    def wire_type(self) -> str:
        """The canonical spelling in which codecs know it: a function pointer is 24 bytes."""
        return self._spelling("bytes24")

    @property
    def is_value_type(self) -> bool:
        """Whether it fits one word, so that an indexed one is stored in full and not hashed."""
        return not self.dimensions and (
            self.base not in ("tuple", "string", "bytes")
            or (self.base == "bytes" and self.size > 0)
        )

    @property
    def element(self) -> AbiParameter:
        """An array's element: the same type with the last pair of brackets taken away."""
        return replace(self, dimensions=self.dimensions[:-1])

    def _spelling(self, function: str) -> str:
        if self.base == "tuple":
            members = (member._spelling(function) for member in self.components)
            text = f"({','.join(members)})"
        elif self.base == "function":
            text = function
        else:
            text = self.base + (str(self.size) if self.size else "")
        if self.decimals:
            text += f"x{self.decimals}"
        return text + "".join(f"[{'' if n is None else n}]" for n in self.dimensions)


def parse_parameter(raw: JsonValue, depth: int = 0) -> AbiParameter:
    """The parameter of one entry of `inputs`, `outputs` or `components`; raises MalformedAbi."""
    if not isinstance(raw, dict):
        raise MalformedAbi("a parameter must be an object with a type")
    name, spelling = raw.get("name") or "", raw.get("type")
    if not isinstance(name, str) or not isinstance(spelling, str):
        raise MalformedAbi("a parameter's name and type must be texts")
    if depth > MAX_DEPTH:
        raise MalformedAbi(f"structs are nested deeper than {MAX_DEPTH}")
    parsed = replace(_parse_type(spelling), name=name, indexed=raw.get("indexed") is True)
    if parsed.base != "tuple":
        return parsed
    members = raw.get("components")
    if not isinstance(members, list) or not members:
        raise MalformedAbi(f"the struct {name or spelling} has no components")
    return replace(parsed, components=tuple(parse_parameter(m, depth + 1) for m in members))


def _parse_type(spelling: str) -> AbiParameter:
    found = _TYPE.fullmatch(spelling.strip())
    if found is None:
        raise MalformedAbi(f"{spelling[:60]!r} is not a type")
    base = found["base"]
    size = int(found["size"] or _DEFAULT_SIZE.get(base, 0))
    decimals = int(found["decimals"] or 0)
    if base == "byte":
        base, size = ("bytes", 1) if not found["size"] else ("byte", size)
    if base in ("fixed", "ufixed") and not found["size"]:
        decimals = 18
    dimensions = (
        tuple(int(length) if length else None for length in found["dimensions"][1:-1].split("]["))
        if found["dimensions"]
        else ()
    )
    if not _is_sized_right(base, size, decimals, bool(found["size"])):
        raise MalformedAbi(f"{spelling[:60]!r} is not a type")
    if 0 in dimensions or len(dimensions) > MAX_DEPTH:
        raise MalformedAbi(f"{spelling[:60]!r} is not an array that holds anything")
    return AbiParameter("", base, size, decimals, dimensions)


def _is_sized_right(base: str, size: int, decimals: int, sized: bool) -> bool:
    if base in ("int", "uint"):
        return size % 8 == 0 and 8 <= size <= 256 and not decimals
    if base in ("fixed", "ufixed"):
        return size % 8 == 0 and 8 <= size <= 256 and 1 <= decimals <= 80
    if base == "bytes":
        return size <= 32 and not decimals
    return not sized and not decimals and base != "byte"
