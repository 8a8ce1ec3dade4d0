"""A grant as Modular Account v2 installs it: a signer, a list of what is allowed, a window.

The wallet's list has no limit of value per call; `max_value` is held by the engine alone there.
"""

from __future__ import annotations

from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.wallets import typed_data as eip712
from task_engine.evm.wallets.execution import EXECUTE, EXECUTE_BATCH
from task_engine.model.grant import Grant
from task_engine.model.json_value import JsonValue

SINGLE_SIGNER = Address("0x00000000000099DE0BF6fA90dEB851E2A2df7d83")
ALLOWLIST = Address("0x00000000003e826473a313e600b5b9b791f5a59a")
TIME_RANGE = Address("0x00000000000082B8e2012be914dFA4f62A0573eA")

_INSTALL_VALIDATION = bytes.fromhex("1bbf564c")
_UNINSTALL_VALIDATION = bytes.fromhex("b6b1ccfe")

# Flags of a validation: it validates operations, but no signatures, and not whatever the wallet
# can do: with the selectors below alone, the wallet's own administration is out of reach.
_FOR_OPERATIONS = b"\x01"
_SELECTORS = (EXECUTE, EXECUTE_BATCH)
# Flags of a hook.
_AT_VALIDATION = b"\x01"
_BEFORE_EXECUTION = b"\x04"

_ACTION = "uint256 nonce,uint48 deadline,bytes call"
_ACTION_TYPE = keccak256(f"DeferredAction({_ACTION})".encode("ascii"))
# The owner: entity 0, of the validations that apply to everything.
_OWNER_LOCATOR = (1).to_bytes(21, "big")


def typed_data(grant: Grant, nonce: int) -> dict[str, JsonValue]:
    """The message for `eth_signTypedData_v4`; `nonce` is that of the operation that installs."""
    message: dict[str, JsonValue] = {
        "nonce": str(nonce),
        "deadline": grant.deadline,
        "call": "0x" + install_call(grant).hex(),
    }
    types = {"DeferredAction": _ACTION}
    return eip712.document(grant.chain_id, grant.wallet, types, message)


def digest(grant: Grant, nonce: int) -> bytes:
    """The EIP-712 digest of `typed_data`."""
    numbers = encoding.number(nonce) + encoding.number(grant.deadline)
    struct_hash = keccak256(_ACTION_TYPE + numbers + keccak256(install_call(grant)))
    return eip712.digest(grant.chain_id, grant.wallet, struct_hash)


def deferred_action(grant: Grant) -> bytes:
    """Who ordered it (21 bytes), until when (6), and the call of the wallet to itself."""
    return _OWNER_LOCATOR + grant.deadline.to_bytes(6, "big") + install_call(grant)


def install_call(grant: Grant) -> bytes:
    """`installValidation(bytes25,bytes4[],bytes,bytes[])`."""
    entity = encoding.number(grant.entity_id)
    hooks = [
        _hook(ALLOWLIST, grant, _AT_VALIDATION) + _allowlist(grant),
        _hook(TIME_RANGE, grant, _AT_VALIDATION)
        + entity
        + encoding.number(grant.valid_until)
        + encoding.number(grant.valid_after),
    ]
    if grant.erc20_cap is not None:
        hooks.append(_hook(ALLOWLIST, grant, _BEFORE_EXECUTION))
    return _INSTALL_VALIDATION + encoding.sequence(
        encoding.fixed_bytes(_hook(SINGLE_SIGNER, grant, _FOR_OPERATIONS)),
        encoding.array([encoding.fixed_bytes(selector) for selector in _SELECTORS]),
        encoding.dynamic_bytes(entity + encoding.address(grant.signer)),
        encoding.array([encoding.dynamic_bytes(hook) for hook in hooks]),
    )


def uninstall_call(grant: Grant) -> bytes:
    """`uninstallValidation(bytes24,bytes,bytes[])`.

    The hooks' own data stays behind: it belongs to an entity that is never used again.
    """
    return _UNINSTALL_VALIDATION + encoding.sequence(
        encoding.fixed_bytes(_hook(SINGLE_SIGNER, grant, b"")),
        encoding.dynamic_bytes(encoding.number(grant.entity_id)),
        encoding.array([]),
    )


def _hook(module: Address, grant: Grant, flags: bytes) -> bytes:
    return module.raw + grant.entity_id.to_bytes(4, "big") + flags


def _allowlist(grant: Grant) -> bytes:
    """(uint32 entityId, (address target, bool hasSelectorAllowlist, bool hasERC20SpendLimit,
    uint256 erc20SpendLimit, bytes4[] selectors)[])."""
    cap = grant.erc20_cap
    selectors: dict[str, list[str]] = {}
    for item in grant.permissions:
        selectors.setdefault(item.target, []).append(item.selector)
    inputs = []
    for target, allowed in selectors.items():
        limit = cap.amount if cap is not None and cap.token == target else None
        words = [encoding.fixed_bytes(bytes.fromhex(selector[2:])) for selector in allowed]
        inputs.append(
            encoding.structure(
                encoding.address(target),
                encoding.number(1),
                encoding.number(limit is not None),
                encoding.number(limit or 0),
                encoding.array(words),
            )
        )
    return encoding.sequence(encoding.number(grant.entity_id), encoding.array(inputs))
