"""EIP-712 in the domain of a wallet: chain and contract, nothing else."""

from __future__ import annotations

from task_engine.errors import InvalidRequest, Unauthenticated
from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.signature import recover_digest_signer
from task_engine.model.json_value import JsonValue

_DOMAIN_TYPE = keccak256(b"EIP712Domain(uint256 chainId,address verifyingContract)")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def document(
    chain_id: int, wallet: str, types: dict[str, str], message: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    """The typed data for a signer; the first of `types` ("uint256 a,bytes b") is the message's."""
    members = {"EIP712Domain": "uint256 chainId,address verifyingContract"} | types
    return {
        "types": {name: _members(text) for name, text in members.items()},
        "primaryType": next(iter(types)),
        "domain": {"chainId": chain_id, "verifyingContract": wallet},
        "message": message,
    }


def digest(chain_id: int, wallet: str, struct_hash: bytes) -> bytes:
    """What is signed for a message whose struct hash is given (EIP-712, `\\x19\\x01`)."""
    domain = _DOMAIN_TYPE + encoding.number(chain_id) + encoding.address(wallet)
    return keccak256(b"\x19\x01" + keccak256(domain) + struct_hash)


def owners_signature(signed: bytes, owner: str, signature: str) -> str:
    """The owner's signature of a digest in the one form that wallets take: v 27 or 28.

    Raises InvalidRequest (INVALID_SIGNATURE) when it is malformed, somebody else's, or has the high
    of its two s.
    """
    try:
        signer = recover_digest_signer(signed, signature)
    except Unauthenticated as error:
        raise _refused(error.message) from error
    if signer != Address(owner):
        raise _refused("the signature is not the wallet owner's")
    raw = bytes.fromhex(signature[2:])
    if int.from_bytes(raw[32:64], "big") > _HALF_ORDER:
        raise _refused("the signature's s is the high one; sign with a low s (EIP-2)")
    return "0x" + raw[:64].hex() + f"{raw[64] % 27 + 27:02x}"


def _members(text: str) -> list[JsonValue]:
    pairs = (member.split(" ") for member in text.split(","))
    return [{"name": name, "type": kind} for kind, name in pairs]


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="INVALID_SIGNATURE")
