"""Why a call was reverted, in words."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable

from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.item import AbiError
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.model.json_value import JsonValue

_SHOWN = 500
_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
# https://docs.soliditylang.org/en/latest/control-structures.html#panic-via-assert-and-error-via-require
_PANICS = {
    0x00: "the compiler raised it",
    0x01: "an assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "not a member of the enumeration",
    0x22: "storage holds a malformed byte array",
    0x31: "nothing to take from an empty array",
    0x32: "index out of bounds",
    0x41: "out of memory",
    0x51: "call of a function that was never set",
}
# Errors that contracts meet whose interface is not in the ABI at hand: token standards
# (https://eips.ethereum.org/EIPS/eip-6093), ownership, and the entry point of ERC-4337.
_KNOWN = (
    "ERC20InsufficientBalance(address sender,uint256 balance,uint256 needed)",
    "ERC20InvalidSender(address sender)",
    "ERC20InvalidReceiver(address receiver)",
    "ERC20InsufficientAllowance(address spender,uint256 allowance,uint256 needed)",
    "ERC20InvalidApprover(address approver)",
    "ERC20InvalidSpender(address spender)",
    "ERC721NonexistentToken(uint256 tokenId)",
    "ERC721IncorrectOwner(address sender,uint256 tokenId,address owner)",
    "ERC721InsufficientApproval(address operator,uint256 tokenId)",
    "OwnableUnauthorizedAccount(address account)",
    "SafeERC20FailedOperation(address token)",
    "EnforcedPause()",
    "ReentrancyGuardReentrantCall()",
    "FailedOp(uint256 opIndex,string reason)",
    "FailedOpWithRevert(uint256 opIndex,string reason,bytes inner)",
)


def revert_reason(data: bytes | str, abi: ContractAbi | None = None) -> str:
    """A sentence for revert data (bytes or 0x hex): never raises, at most 500 characters.

    Knows `Error(string)`, `Panic(uint256)`, the custom errors of `abi` and a few that are common;
    names the selector of any other.
    """
    raw = _raw(data)
    if not raw:
        return "reverted without a reason"
    own = abi.errors if abi else ()
    text = _described(raw, own) or _described(raw, _known())
    return _printable(text or f"reverted with the unknown error 0x{raw[:4].hex()}")


def _described(raw: bytes, errors: Iterable[AbiError]) -> str:
    """The first error that the data is one of; empty when none is."""
    from task_engine.evm.abi import codec  # noqa: PLC0415 - loads eth_abi

    for error in errors:
        if error.selector != raw[:4]:
            continue
        try:
            values = codec.decode_plain(error.inputs, raw[4:])
        except codec.Undecodable:
            continue
        if raw[:4] == _ERROR:
            return str(values[0]) or "reverted without a reason"
        if raw[:4] == _PANIC:
            return _panic(int(str(values[0])))
        return f"{error.name}({', '.join(map(_argument, error.inputs, values))})"
    return ""


def _panic(number: int) -> str:
    return f"panic {number:#04x}: {_PANICS.get(number, 'of an unknown kind')}"


def _argument(parameter: AbiParameter, value: JsonValue) -> str:
    bare = isinstance(value, str) and parameter.base != "string"
    text = str(value) if bare else json.dumps(value, ensure_ascii=False)
    return f"{parameter.name}: {text}" if parameter.name else text


@functools.cache
def _known() -> tuple[AbiError, ...]:
    signatures = ("Error(string reason)", "Panic(uint256 code)", *_KNOWN)
    return tuple(_of_signature(signature) for signature in signatures)


def _of_signature(signature: str) -> AbiError:
    name, _, rest = signature.partition("(")
    pairs = [pair.split(" ") for pair in rest.removesuffix(")").split(",") if pair]
    item: JsonValue = {
        "type": "error",
        "name": name,
        "inputs": [{"type": kind, "name": own} for kind, own in pairs],
    }
    return ContractAbi.parse([item]).errors[0]


def _raw(data: bytes | str) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return bytes.fromhex(data.removeprefix("0x"))
    except ValueError:
        return b""


def _printable(text: str) -> str:
    """Contracts write what they like: control characters have no place in a message."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return clean if len(clean) <= _SHOWN else clean[: _SHOWN - 3] + "..."
