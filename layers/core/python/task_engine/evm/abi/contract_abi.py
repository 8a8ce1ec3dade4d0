"""A contract's interface as a whole: read from JSON, its entries found by name or by selector."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from task_engine.errors import NodeError
from task_engine.evm.abi.coerce import spread, structure
from task_engine.evm.abi.item import AbiError, AbiEvent, AbiFunction, parse_entry
from task_engine.evm.abi.parameter import MalformedAbi
from task_engine.evm.abi.scalars import INVALID, Unfit
from task_engine.model.json_value import JsonValue

MAX_BYTES = 2**20
_NAMES_SHOWN = 20
_PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ContractAbi:
    """The parsed interface of one contract."""

    functions: tuple[AbiFunction, ...] = ()
    events: tuple[AbiEvent, ...] = ()
    errors: tuple[AbiError, ...] = ()
    _named: dict[str, list[AbiFunction]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for function in self.functions:
            self._named.setdefault(function.name, []).append(function)

    @classmethod
    def parse(cls, items: JsonValue) -> ContractAbi:
        """Reads a list of ABI entries, each an object or its JSON text.

        Raises NodeError: MISSING_REQUIRED_FIELD when there is nothing, INVALID_NODE_CONFIG with
        every entry that can't be read.
        """
        entries = _entries(items)
        found: list[AbiFunction | AbiEvent | AbiError] = []
        problems: list[str] = []
        for number, entry in enumerate(entries):
            try:
                parsed = parse_entry(entry)
            except MalformedAbi as error:
                problems.append(f"contractAbi[{number}]: {error}")
            else:
                found += [parsed] if parsed else []
        if problems:
            raise NodeError("; ".join(problems[:_PROBLEMS_SHOWN]), code=INVALID)
        return cls(
            tuple(item for item in found if isinstance(item, AbiFunction)),
            tuple(item for item in found if isinstance(item, AbiEvent)),
            tuple(item for item in found if isinstance(item, AbiError)),
        )

    def function(self, name: str, arity: int | None = None) -> AbiFunction:
        """The function of a name or of a full signature; `arity` decides between overloads.

        Raises NodeError when there is none, or more than one that fits.
        """
        wanted = name.strip()
        if not wanted:
            raise NodeError("methodName is required", code="MISSING_REQUIRED_FIELD")
        if "(" in wanted:
            signature = _canonical(wanted)
            fitting = [f for f in self.functions if f.signature == signature]
        else:
            fitting = self._named.get(wanted, [])
        if len(fitting) > 1 and arity is not None:
            fitting = [f for f in fitting if len(f.inputs) == arity] or fitting
        if not fitting:
            raise NodeError(f"method {wanted[:80]} {self._what_exists()}", code=INVALID)
        if len({f.signature for f in fitting}) > 1:
            choice = ", ".join(f.signature for f in fitting)
            raise NodeError(
                f"method {wanted}: several fit, give the full signature: {choice}", code=INVALID
            )
        return fitting[0]

    def function_for(self, name: str, params: Sequence[JsonValue]) -> AbiFunction:
        """Like `function`, the arity being that of `params`, also when they are one JSON array."""
        fitting = self._named.get(name.strip(), [])
        if len(fitting) == 1:
            return fitting[0]
        arities = {len(f.inputs) for f in fitting}
        arity = len(params)
        if len(arities) > 1 and arity not in arities - {1}:
            arity = next((n for n in (len(spread((), params)),) if n in arities), arity)
        return self.function(name, arity)

    def by_selector(self, selector: bytes) -> AbiFunction | None:
        """The function whose selector call data begins with."""
        return next((f for f in self.functions if f.selector == selector), None)

    def _what_exists(self) -> str:
        names = sorted({f.name for f in self.functions})
        if not names:
            return "is not in the ABI, which has no functions"
        more = ", ..." if len(names) > _NAMES_SHOWN else ""
        return f"is not in the ABI, which has {', '.join(names[:_NAMES_SHOWN])}{more}"


def _entries(items: JsonValue) -> list[JsonValue]:
    if items is None or items in ("", []):
        raise NodeError("contractAbi is required", code="MISSING_REQUIRED_FIELD")
    if len(json.dumps(items)) > MAX_BYTES:
        raise NodeError("contractAbi is larger than 1 MB", code=INVALID)
    if not isinstance(items, list):
        raise NodeError("contractAbi must be a list of ABI entries", code=INVALID)
    return list(_unpacked(items))


def _unpacked(items: list[JsonValue]) -> Iterator[JsonValue]:
    """The entries, those that are JSON text parsed; such a text may hold a whole list."""
    for item in items:
        if not isinstance(item, str):
            yield item
            continue
        try:
            parsed = structure(item)
        except Unfit:
            yield None
            continue
        yield from parsed if isinstance(parsed, list) else [parsed]


def _canonical(signature: str) -> str:
    """A signature as people write it, in the spelling that is hashed."""
    compact = re.sub(r"\s+", "", signature).replace("tuple(", "(")
    return re.sub(r"\b(u?int)(?![0-9A-Za-z_(])", r"\g<1>256", compact)
