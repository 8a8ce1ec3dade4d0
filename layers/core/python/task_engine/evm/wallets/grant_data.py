"""Grants of a SessionAccount: what the owner signs, and how an operation carries it."""

from __future__ import annotations

from task_engine.evm import encoding
from task_engine.evm.address import keccak256
from task_engine.evm.wallets import typed_data as eip712
from task_engine.model.grant import Grant, Permission
from task_engine.model.json_value import JsonValue

NO_LIMIT = 2**256 - 1

_PERMISSION = "address target,bytes4 selector,uint256 maxValue"
_GRANT = (
    "address signer,uint48 validAfter,uint48 validUntil,uint256 epoch,bytes32 policyId,"
    "uint256 gasCap,address spendToken,uint256 spendCap,Permission[] permissions"
)
_PERMISSION_TYPE = keccak256(f"Permission({_PERMISSION})".encode("ascii"))
_GRANT_TYPE = keccak256(f"Grant({_GRANT})Permission({_PERMISSION})".encode("ascii"))
_ZERO = "0x" + "0" * 40


def typed_data(grant: Grant) -> dict[str, JsonValue]:
    """The message for `eth_signTypedData_v4`; big numbers are decimal strings."""
    cap = grant.erc20_cap
    permissions: list[JsonValue] = [
        {"target": item.target, "selector": item.selector, "maxValue": str(item.max_value)}
        for item in grant.permissions
    ]
    message: dict[str, JsonValue] = {
        "signer": grant.signer,
        "validAfter": grant.valid_after,
        "validUntil": grant.valid_until,
        "epoch": str(grant.epoch),
        "policyId": grant.id,
        "gasCap": str(_gas_cap(grant)),
        "spendToken": _ZERO if cap is None else cap.token,
        "spendCap": "0" if cap is None else str(cap.amount),
        "permissions": permissions,
    }
    types = {"Grant": _GRANT, "Permission": _PERMISSION}
    return eip712.document(grant.chain_id, grant.wallet, types, message)


def grant_digest(grant: Grant) -> bytes:
    """The EIP-712 digest of `typed_data`: also the grant's name on chain."""
    hashes = (keccak256(_PERMISSION_TYPE + _permission(item)) for item in grant.permissions)
    struct_hash = keccak256(_GRANT_TYPE + _fixed(grant) + keccak256(b"".join(hashes)))
    return eip712.digest(grant.chain_id, grant.wallet, struct_hash)


def encode_grant(grant: Grant, owner_signature: bytes, signer_signature: bytes) -> bytes:
    """An operation's `signature`: the grant and both signatures, ABI-encoded."""
    permissions = encoding.array([_permission(item) for item in grant.permissions])
    return encoding.sequence(
        encoding.structure(_fixed(grant), permissions),
        encoding.dynamic_bytes(owner_signature),
        encoding.dynamic_bytes(signer_signature),
    )


def signed_by_signer(user_op_hash: bytes, grant: Grant) -> bytes:
    """What the grant's signer signs, as a personal message: the operation under this very grant."""
    return keccak256(user_op_hash + grant_digest(grant))


def _fixed(grant: Grant) -> bytes:
    """All of a grant but its permissions: eight words, for the hash and the encoding alike."""
    cap = grant.erc20_cap
    return (
        encoding.address(grant.signer)
        + encoding.number(grant.valid_after)
        + encoding.number(grant.valid_until)
        + encoding.number(grant.epoch)
        + bytes.fromhex(grant.id[2:])
        + encoding.number(_gas_cap(grant))
        + encoding.address(None if cap is None else cap.token)
        + encoding.number(0 if cap is None else cap.amount)
    )


def _permission(item: Permission) -> bytes:
    selector = encoding.fixed_bytes(bytes.fromhex(item.selector[2:]))
    return encoding.address(item.target) + selector + encoding.number(item.max_value)


def _gas_cap(grant: Grant) -> int:
    return NO_LIMIT if grant.gas_cap is None else grant.gas_cap
