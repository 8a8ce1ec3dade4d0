"""The entries of a contract's interface: functions, events and errors."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from task_engine.errors import NodeError
from task_engine.evm.abi.coerce import coerce_all, spread
from task_engine.evm.abi.parameter import AbiParameter, MalformedAbi, parse_parameter
from task_engine.evm.abi.scalars import INVALID
from task_engine.evm.abi.static_words import decode_words, encode_words
from task_engine.evm.address import keccak256
from task_engine.model.json_value import JsonObject, JsonValue

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
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


def member_names(parameters: Sequence[AbiParameter], fallback: str) -> list[str]:
    """One distinct name per parameter: its own, or `<fallback>_<position>`."""
    names: list[str] = []
    for position, parameter in enumerate(parameters):
        taken = not parameter.name or parameter.name in names
        names.append(f"{fallback}_{position}" if taken else parameter.name)
    return names


def parse_entry(entry: JsonValue) -> AbiFunction | AbiEvent | AbiError | None:
    """None for an entry without a name (constructor, fallback, receive); raises MalformedAbi."""
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
