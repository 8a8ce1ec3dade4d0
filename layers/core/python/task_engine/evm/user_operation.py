"""UserOperations of EntryPoint 0.7 and 0.8: on the wire, packed for the chain, and their hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from task_engine.errors import InvalidRequest
from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.model.json_value import JsonValue

_OPERATION_TYPE = keccak256(
    b"PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,"
    b"bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)"
)
_DOMAIN_TYPE = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_DOMAIN_NAME = keccak256(b"ERC4337")
_DOMAIN_VERSION = keccak256(b"1")

_QUANTITIES = {
    "nonce": "nonce",
    "callGasLimit": "call_gas_limit",
    "verificationGasLimit": "verification_gas_limit",
    "preVerificationGas": "pre_verification_gas",
    "maxFeePerGas": "max_fee_per_gas",
    "maxPriorityFeePerGas": "max_priority_fee_per_gas",
    "paymasterVerificationGasLimit": "paymaster_verification_gas_limit",
    "paymasterPostOpGasLimit": "paymaster_post_op_gas_limit",
}
_PAYMASTER_GROUP = (
    "paymaster",
    "paymasterVerificationGasLimit",
    "paymasterPostOpGasLimit",
    "paymasterData",
)

# sender, nonce, initCode, callData, accountGasLimits, preVerificationGas, gasFees,
# paymasterAndData, signature
PackedOperation = tuple[Address, int, bytes, bytes, bytes, int, bytes, bytes, bytes]


class EntryPointIdentity(Protocol):
    """What an operation's hash depends on beside the operation and the chain."""

    @property
    def version(self) -> str:
        """0.7 or 0.8."""

    @property
    def address(self) -> Address:
        """Where the entry point is."""


@dataclass(frozen=True, slots=True)
class UserOperation:
    """One operation of a wallet (ERC-4337); gas in units, fees in wei.

    The factory group and the paymaster group are whole or absent. Raises InvalidRequest for half a
    group and for numbers that the packed form has no room for.
    """

    sender: Address
    nonce: int
    call_data: bytes
    factory: Address | None = None
    factory_data: bytes = b""
    call_gas_limit: int = 0
    verification_gas_limit: int = 0
    pre_verification_gas: int = 0
    max_fee_per_gas: int = 0
    max_priority_fee_per_gas: int = 0
    paymaster: Address | None = None
    paymaster_verification_gas_limit: int = 0
    paymaster_post_op_gas_limit: int = 0
    paymaster_data: bytes = b""
    signature: bytes = b""

    def __post_init__(self) -> None:
        if self.factory is None and self.factory_data:
            raise _malformed("factoryData without a factory")
        limits = self.paymaster_verification_gas_limit, self.paymaster_post_op_gas_limit
        if self.paymaster is None and (any(limits) or self.paymaster_data):
            raise _malformed("a paymaster's gas or data without a paymaster")
        for name, attribute in _QUANTITIES.items():
            bits = 256 if name in ("nonce", "preVerificationGas") else 128
            if not 0 <= getattr(self, attribute) < 1 << bits:
                raise _malformed(f"{name} does not fit into {bits} bits")

    def wire(self) -> dict[str, JsonValue]:
        """As bundlers take it (ERC-7769): quantities in hex, absent groups left out."""
        wire: dict[str, JsonValue] = {"sender": self.sender, "callData": _hex(self.call_data)}
        for name, attribute in _QUANTITIES.items():
            if self.paymaster is not None or name not in _PAYMASTER_GROUP:
                wire[name] = hex(getattr(self, attribute))
        if self.factory is not None:
            wire |= {"factory": self.factory, "factoryData": _hex(self.factory_data)}
        if self.paymaster is not None:
            wire |= {"paymaster": self.paymaster, "paymasterData": _hex(self.paymaster_data)}
        return wire | {"signature": _hex(self.signature)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, JsonValue]) -> UserOperation:
        """The operation of `wire()`; raises InvalidRequest for anything else."""
        given = {name: wire[name] for name in wire if wire[name] is not None}
        if "paymaster" not in given and not given.keys().isdisjoint(_PAYMASTER_GROUP):
            raise _malformed("a paymaster's gas or data without a paymaster")
        if "factory" not in given and "factoryData" in given:
            raise _malformed("factoryData without a factory")
        quantities = {
            attribute: _quantity(given, name)
            for name, attribute in _QUANTITIES.items()
            if name in given
        }
        return cls(
            sender=Address(_text(given, "sender")),
            nonce=quantities.pop("nonce", 0),
            call_data=_bytes(given, "callData"),
            factory=Address(_text(given, "factory")) if "factory" in given else None,
            factory_data=_bytes(given, "factoryData"),
            paymaster=Address(_text(given, "paymaster")) if "paymaster" in given else None,
            paymaster_data=_bytes(given, "paymasterData"),
            signature=_bytes(given, "signature"),
            **quantities,
        )

    @property
    def init_code(self) -> bytes:
        """Factory and its data as the chain takes them; empty for a wallet that exists."""
        return b"" if self.factory is None else self.factory.raw + self.factory_data

    @property
    def paymaster_and_data(self) -> bytes:
        """Paymaster, its two gas limits (16 bytes each) and its data; empty without one."""
        if self.paymaster is None:
            return b""
        limits = _pair(self.paymaster_verification_gas_limit, self.paymaster_post_op_gas_limit)
        return self.paymaster.raw + limits + self.paymaster_data

    @property
    def account_gas_limits(self) -> bytes:
        """Verification's limit, then the call's."""
        return _pair(self.verification_gas_limit, self.call_gas_limit)

    @property
    def gas_fees(self) -> bytes:
        """Priority fee, then the highest fee."""
        return _pair(self.max_priority_fee_per_gas, self.max_fee_per_gas)

    def packed(self) -> PackedOperation:
        """The fields of the contracts' PackedUserOperation, in their order."""
        return (
            self.sender,
            self.nonce,
            self.init_code,
            self.call_data,
            self.account_gas_limits,
            self.pre_verification_gas,
            self.gas_fees,
            self.paymaster_and_data,
            self.signature,
        )

    def hash(self, entry_point: EntryPointIdentity, chain_id: int) -> bytes:
        """What `getUserOpHash` answers: 32 bytes, the same before and after signing."""
        fields = (
            encoding.address(self.sender)
            + encoding.number(self.nonce)
            + keccak256(self.init_code)
            + keccak256(self.call_data)
            + self.account_gas_limits
            + encoding.number(self.pre_verification_gas)
            + self.gas_fees
            + keccak256(self.paymaster_and_data)
        )
        place = encoding.number(chain_id), encoding.address(entry_point.address)
        if entry_point.version == "0.7":
            return keccak256(keccak256(fields) + place[1] + place[0])
        domain = _DOMAIN_TYPE + _DOMAIN_NAME + _DOMAIN_VERSION + place[0] + place[1]
        return keccak256(b"\x19\x01" + keccak256(domain) + keccak256(_OPERATION_TYPE + fields))


def _pair(high: int, low: int) -> bytes:
    return high.to_bytes(16, "big") + low.to_bytes(16, "big")


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _text(wire: Mapping[str, JsonValue], name: str) -> str:
    value = wire.get(name, "0x")
    if not isinstance(value, str) or not value.startswith("0x"):
        raise _malformed(f"{name} is not hexadecimal")
    return value


def _bytes(wire: Mapping[str, JsonValue], name: str) -> bytes:
    try:
        return bytes.fromhex(_text(wire, name)[2:])
    except ValueError as error:
        raise _malformed(f"{name} is not hexadecimal") from error


def _quantity(wire: Mapping[str, JsonValue], name: str) -> int:
    try:
        return int(_text(wire, name), 16)
    except ValueError as error:
        raise _malformed(f"{name} is not hexadecimal") from error


def _malformed(what: str) -> InvalidRequest:
    return InvalidRequest(f"a UserOperation is malformed: {what}", code="INVALID_USER_OPERATION")
