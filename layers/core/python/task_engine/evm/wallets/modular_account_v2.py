"""Wallets of Modular Account v2 (ERC-6900), the variant whose owner stands in its bytecode.

https://github.com/alchemyplatform/modular-account. A grant is a validation of its own in the
wallet, an entity: its first operation carries the owner's order to install it.
"""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.errors import NotImplementedHere
from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.create2 import create2_address
from task_engine.evm.entry_point import key_of, nonce_of
from task_engine.evm.signer import Signer
from task_engine.evm.wallets import modular_grant
from task_engine.evm.wallets.execution import encode_calls
from task_engine.evm.wallets.provider import (
    DUMMY_SIGNATURE,
    TxCall,
    sign_personally,
    signed_grant,
)
from task_engine.model.grant import NATIVE_TRANSFER, Grant, GrantStatus
from task_engine.model.json_value import JsonValue

FACTORY = Address("0x00000000000017c61b5bEe81050EC8eFc9c6fecd")
_IMPLEMENTATION = Address("0x000000000000c5A9089039570Dd36455b5C07383")
# Solady's ERC-1967 proxy with arguments behind its code: before and after the implementation.
_PROXY_HEAD = bytes.fromhex("6100513d8160233d3973")
_PROXY_TAIL = bytes.fromhex(
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382b"
    "bc545af43d6000803e6038573d6000fd5b3d6000f3"
)
# What stands for "no entity" in the salt of a wallet whose owner is in its code.
_NO_ENTITY = bytes.fromhex("ffffffff")

_GET_ADDRESS = bytes.fromhex("6aa34063")
_CREATE_ACCOUNT = bytes.fromhex("8b4e464e")
_EXECUTE_USER_OP = bytes.fromhex("8dd7712f")

# Nonce key, from its lowest bit: options (8), entity (32), free (152).
_GLOBAL = 1
_DEFERRED = 2
_FREE_BITS = 152
# Last segment of a signature, then its type: an ordinary key's.
_FRAME = bytes.fromhex("ff00")
_BY_ORDINARY_KEY = bytes.fromhex("00")


class ModularAccountProvider:
    """`modular_account_v2`; entry point 0.7 only."""

    name = "modular_account_v2"
    grants = True

    def __init__(self, factory: Address | None = None) -> None:
        self.factory = factory or FACTORY

    def address(self, owner: Address, salt: int) -> Address | None:
        """By CREATE2 for the published factory, else unknown."""
        if self.factory != FACTORY:
            return None
        combined = keccak256(owner.raw + encoding.number(salt) + _NO_ENTITY)
        code = _PROXY_HEAD + _IMPLEMENTATION.raw + _PROXY_TAIL + owner.raw
        return create2_address(self.factory, combined, keccak256(code))

    def derive_call(self, owner: Address, salt: int) -> bytes:
        """`getAddressSemiModular(owner, salt)`."""
        return _GET_ADDRESS + encoding.address(owner) + encoding.number(salt)

    def init(self, owner: Address, salt: int) -> tuple[Address, bytes]:
        """`createSemiModularAccount(owner, salt)`."""
        return self.factory, _CREATE_ACCOUNT + encoding.address(owner) + encoding.number(salt)

    def encode(self, calls: Sequence[TxCall], grant: Grant | None = None) -> bytes:
        """By way of `executeUserOp` where the grant has a hook that counts during execution."""
        counted = grant is not None and grant.erc20_cap is not None
        return (_EXECUTE_USER_OP if counted else b"") + encode_calls(calls)

    def nonce_key(self, operation_id: str, grant: Grant | None = None) -> int:
        """Names who validates: the owner, or the grant's entity.

        The operation that installs a grant has the one nonce that the owner signed, so of several
        operations under a fresh grant the chain takes one; the others need a new key after it.
        """
        if grant is not None and grant.status is GrantStatus.PENDING:
            return _install_key(grant)
        free = key_of(operation_id) >> (192 - _FREE_BITS)
        if grant is None:
            return free << 40 | _GLOBAL
        return free << 40 | grant.entity_id << 8

    def dummy_signature(self, grant: Grant | None = None) -> bytes:
        """In its frame, with the grant's installation where the real one has it."""
        return _installation(grant) + _FRAME + DUMMY_SIGNATURE

    def sign(self, user_op_hash: bytes, signer: Signer, grant: Grant | None = None) -> bytes:
        """A personal signature of the operation in its frame."""
        return _installation(grant) + _FRAME + sign_personally(user_op_hash, signer)

    def typed_data(self, grant: Grant) -> dict[str, JsonValue]:
        """A `DeferredAction`: the installation, and the nonce of the operation that carries it."""
        _require_installable(grant)
        return modular_grant.typed_data(grant, nonce_of(_install_key(grant)))

    def grant_digest(self, grant: Grant) -> bytes:
        """Of the `DeferredAction`."""
        _require_installable(grant)
        return modular_grant.digest(grant, nonce_of(_install_key(grant)))

    def revoke_call(self, grant: Grant) -> TxCall:
        """`uninstallValidation` of the grant's entity; only for a grant that was used."""
        return TxCall(Address(grant.wallet), 0, modular_grant.uninstall_call(grant))


def _install_key(grant: Grant) -> int:
    return grant.entity_id << 8 | _DEFERRED


def _installation(grant: Grant | None) -> bytes:
    """What stands before the signature of the operation that installs a grant."""
    if grant is None or grant.status is not GrantStatus.PENDING:
        return b""
    action = modular_grant.deferred_action(grant)
    owner_signature = _BY_ORDINARY_KEY + signed_grant(grant)
    return _with_length(action) + _with_length(owner_signature)


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _require_installable(grant: Grant) -> None:
    if any(item.selector == NATIVE_TRANSFER for item in grant.permissions):
        raise NotImplementedHere(
            "a modular account takes no grant for transfers of native currency: its list of what is"
            " allowed wants a function's selector"
        )
