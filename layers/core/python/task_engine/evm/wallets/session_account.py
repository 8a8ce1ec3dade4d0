"""Wallets of our own contract SessionAccount: the owner's signature lends power to a key."""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.create2 import create2_address
from task_engine.evm.entry_point import key_of
from task_engine.evm.signer import Signer
from task_engine.evm.wallets import grant_data
from task_engine.evm.wallets.execution import encode_calls
from task_engine.evm.wallets.provider import (
    DUMMY_SIGNATURE,
    TxCall,
    sign_personally,
    signed_grant,
)
from task_engine.model.grant import Grant
from task_engine.model.json_value import JsonValue

# contracts/README.md; they follow from the bytecode in contracts/artifacts.
FACTORIES = {
    "0.7": Address("0xbb41d5e79B2eEd655e6ECCf3F295879f3EE852fB"),
    "0.8": Address("0x87BEbFbb3c459C2052eD61CfC3ADA8bd1d20ABf4"),
}
_IMPLEMENTATIONS = {
    FACTORIES["0.7"]: Address("0x7fAd6f77d15C8b8E2963961C0B5aBe73C97D6f62"),
    FACTORIES["0.8"]: Address("0x84591c017196523B9a9935E69090547236e71603"),
}
# EIP-1167 before and after the implementation's address; the owner follows.
_CLONE_HEAD = bytes.fromhex("6100413d81600a3d39f3363d3d373d3d3d363d73")
_CLONE_TAIL = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")

_GET_ADDRESS = bytes.fromhex("8cb84e18")
_CREATE_ACCOUNT = bytes.fromhex("5fbfb9cf")
_REVOKE_GRANT = bytes.fromhex("6e500b55")


class SessionAccountProvider:
    """`session_account`; unaudited. Any factory of this contract may be given."""

    name = "session_account"
    grants = True

    def __init__(self, entry_point: str = "0.7", factory: Address | None = None) -> None:
        self.factory = factory or FACTORIES[entry_point]

    def address(self, owner: Address, salt: int) -> Address | None:
        """By CREATE2 for the factory of this repository, else unknown."""
        implementation = _IMPLEMENTATIONS.get(self.factory)
        if implementation is None:
            return None
        code = _CLONE_HEAD + implementation.raw + _CLONE_TAIL + owner.raw
        return create2_address(self.factory, salt.to_bytes(32, "big"), keccak256(code))

    def derive_call(self, owner: Address, salt: int) -> bytes:
        """`getAddress(owner, salt)`."""
        return _GET_ADDRESS + encoding.address(owner) + encoding.number(salt)

    def init(self, owner: Address, salt: int) -> tuple[Address, bytes]:
        """`createAccount(owner, salt)`."""
        return self.factory, _CREATE_ACCOUNT + encoding.address(owner) + encoding.number(salt)

    def encode(self, calls: Sequence[TxCall], grant: Grant | None = None) -> bytes:
        """The same with and without a grant."""
        del grant
        return encode_calls(calls)

    def nonce_key(self, operation_id: str, grant: Grant | None = None) -> int:
        """The operation's own key."""
        del grant
        return key_of(operation_id)

    def dummy_signature(self, grant: Grant | None = None) -> bytes:
        """With the real grant, so that an estimate pays for its checks."""
        if grant is None:
            return DUMMY_SIGNATURE
        return grant_data.encode_grant(grant, signed_grant(grant), DUMMY_SIGNATURE)

    def sign(self, user_op_hash: bytes, signer: Signer, grant: Grant | None = None) -> bytes:
        """A personal signature of the operation, or of the operation together with the grant."""
        if grant is None:
            return sign_personally(user_op_hash, signer)
        signature = sign_personally(grant_data.signed_by_signer(user_op_hash, grant), signer)
        return grant_data.encode_grant(grant, signed_grant(grant), signature)

    def typed_data(self, grant: Grant) -> dict[str, JsonValue]:
        """A `Grant`."""
        return grant_data.typed_data(grant)

    def grant_digest(self, grant: Grant) -> bytes:
        """Of the `Grant`."""
        return grant_data.grant_digest(grant)

    def revoke_call(self, grant: Grant) -> TxCall:
        """`revokeGrant` of the grant's digest: works before the grant was ever used, too."""
        return TxCall(Address(grant.wallet), 0, _REVOKE_GRANT + grant_data.grant_digest(grant))
