"""A contract's interface: its functions, events and errors, found by name or by selector."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from task_engine.errors import NodeError
from task_engine.evm.abi.coerce import INVALID, Unfit, coerce_all, spread, structure
from task_engine.evm.abi.parameter import AbiParameter, MalformedAbi, parse_parameter
from task_engine.evm.abi.static_words import decode_words, encode_words
from task_engine.evm.address import keccak256
from task_engine.model.json_value import JsonObject, JsonValue

MAX_BYTES = 2**20
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_NAMES_SHOWN = 20
_PROBLEMS_SHOWN = 10
_WITHOUT_NAME = ("constructor", "fallback", "receive")


@functools.lru_cache(maxsize=4096)
def _digest(signature: str) -> bytes:
    return keccak256(signature.encode())


@dataclass(frozen=True, slots=True)
class _Named:
    """What functions, events and errors share; `item` is the entry as the user gave it, and
    `signature` the canonical one, for example `transfer(address,uint256)`."""

    name: str
    inputs: tuple[AbiParameter, ...]
    item: JsonObject
    signature: str = field(init=False, default="")

    def __post_init__(self) -> None:
        types = ",".join(parameter.type for parameter in self.inputs)
        object.__setattr__(self, "signature", f"{self.name}({types})")

    @property
    def digest(self) -> bytes:
        """The 32-byte hash of the signature: an event's first topic."""
        return _digest(self.signature)

    @property
    def selector(self) -> bytes:
        """The first 4 bytes of the hash: what call data and revert data begin with."""
        return self.digest[:4]


@dataclass(frozen=True, slots=True)
class AbiError(_Named):
    """A custom error."""


@dataclass(frozen=True, slots=True)
class AbiEvent(_Named):
    """An event; an anonymous one does not carry the hash of its signature."""

    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class AbiFunction(_Named):
    """A function; `state_mutability` is pure, view, nonpayable or payable."""

    outputs: tuple[AbiParameter, ...] = ()
    state_mutability: str = "nonpayable"

    def encode(self, params: Sequence[JsonValue]) -> bytes:
        """The call data: the selector and the arguments.

        `params` are as users write them: texts or JSON, one per input; one JSON array where the
        function does not take exactly one array or struct is the list of the parameters. Raises
        NodeError naming the method and every parameter that does not fit.
        """
        values = spread(self.inputs, params)
        if len(values) != len(self.inputs):
            raise NodeError(
                f"method {self.name}: {self.signature} takes {len(self.inputs)} parameters,"
                f" not {len(values)}",
                code=INVALID,
            )
        typed, problems = coerce_all(self.inputs, values)
        if problems:
            codes = {problem.code for problem in problems}
            listed = "; ".join(f"{problem.path}: {problem.message}" for problem in problems)
            raise NodeError(
                f"method {self.name}: {listed}", code=codes.pop() if len(codes) == 1 else INVALID
            )
        words = encode_words(self.inputs, typed)
        if words is not None:
            return self.selector + words
        from task_engine.evm.abi import codec  # noqa: PLC0415 - loads eth_abi

        try:
            return self.selector + codec.encode([p.wire_type for p in self.inputs], typed)
        except codec.Unencodable as error:
            raise NodeError(f"method {self.name}: {error}", code=INVALID) from error

    def decode_arguments(self, data: bytes) -> list[JsonValue]:
        """The arguments in call data (selector included), in JSON; raises NodeError."""
        if data[:4] != self.selector:
            raise NodeError(
                f"method {self.name}: the call data is not a call of {self.signature}", code=INVALID
            )
        return self._decode(self.inputs, data[4:], "call data")

    def decode_outputs(self, data: bytes) -> list[JsonValue]:
        """The outputs in JSON: numbers and booleans as text, addresses checksummed, bytes as hex.

        Raises NodeError when `data` is not an encoding of them; bytes after them are ignored.
        """
        return self._decode(self.outputs, data, "answer")

    def named_outputs(self, values: Sequence[JsonValue]) -> JsonValue:
        """The outputs as one value.

        A single output without a name is itself, no output is None; otherwise an object by name,
        with `output_<position>` for an output that has no name of its own.
        """
        if not self.outputs:
            return None
        if len(self.outputs) == 1 and not self.outputs[0].name:
            return values[0]
        return dict(zip(member_names(self.outputs, "output"), values, strict=True))

    def _decode(
        self, parameters: Sequence[AbiParameter], data: bytes, what: str
    ) -> list[JsonValue]:
        words = decode_words(parameters, data)
        if words is not None:
            return words
        from task_engine.evm.abi import codec  # noqa: PLC0415 - loads eth_abi

        try:
            return codec.decode_plain(parameters, data)
        except codec.Undecodable as error:
            types = ",".join(parameter.type for parameter in parameters)
            raise NodeError(
                f"method {self.name}: the {what} does not fit the ABI's ({types}): {error}",
                code=INVALID,
            ) from error


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
                parsed = _parse_entry(entry)
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


def member_names(parameters: Sequence[AbiParameter], fallback: str) -> list[str]:
    """One distinct name per parameter: its own, or `<fallback>_<position>`."""
    names: list[str] = []
    for position, parameter in enumerate(parameters):
        taken = not parameter.name or parameter.name in names
        names.append(f"{fallback}_{position}" if taken else parameter.name)
    return names


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


def _parse_entry(entry: JsonValue) -> AbiFunction | AbiEvent | AbiError | None:
    if not isinstance(entry, dict):
        raise MalformedAbi("an entry must be an object, or the JSON text of one")
    kind = entry.get("type", "function")
    if kind in _WITHOUT_NAME:
        return None
    if kind not in ("function", "event", "error"):
        raise MalformedAbi(f"{str(kind)[:40]!r} is not a kind of entry")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise MalformedAbi(f"the {kind} has no proper name")
    try:
        inputs = _parameters(entry.get("inputs"))
        if kind == "event":
            return AbiEvent(name, inputs, entry, anonymous=entry.get("anonymous") is True)
        if kind == "error":
            return AbiError(name, inputs, entry)
        return AbiFunction(
            name, inputs, entry, _parameters(entry.get("outputs")), _mutability(entry)
        )
    except MalformedAbi as error:
        raise MalformedAbi(f"{kind} {name}: {error}") from error


def _parameters(raw: JsonValue) -> tuple[AbiParameter, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise MalformedAbi("inputs and outputs must be lists")
    return tuple(parse_parameter(parameter) for parameter in raw)


def _mutability(entry: JsonObject) -> str:
    """Compilers before 0.4.16 wrote `constant` and `payable` instead."""
    stated = entry.get("stateMutability")
    if isinstance(stated, str):
        return stated
    if entry.get("constant") is True:
        return "view"
    return "payable" if entry.get("payable") is True else "nonpayable"


def _canonical(signature: str) -> str:
    """A signature as people write it, in the spelling that is hashed."""
    compact = re.sub(r"\s+", "", signature).replace("tuple(", "(")
    return re.sub(r"\b(u?int)(?![0-9A-Za-z_(])", r"\g<1>256", compact)
