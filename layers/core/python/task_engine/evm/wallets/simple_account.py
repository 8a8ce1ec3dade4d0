"""Wallets of the SimpleAccount of the ERC-4337 authors: one owner, whose key alone acts."""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.errors import NotImplementedHere
from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.create2 import create2_address
from task_engine.evm.entry_point import key_of
from task_engine.evm.signer import Signer
from task_engine.evm.wallets import proxy_code
from task_engine.evm.wallets.execution import encode_calls
from task_engine.evm.wallets.provider import DUMMY_SIGNATURE, TxCall, sign_personally
from task_engine.model.grant import Grant
from task_engine.model.json_value import JsonValue

FACTORIES = {
    "0.7": Address("0x91E60e0613810449d098b0b5Ec8b51A0FE8c8985"),
    "0.8": Address("0x13E9ed32155810FDbd067D4522C492D6f68E5944"),
}
_PROXIES = {
    FACTORIES["0.7"]: (Address("0x68641DE71cfEa5a5d0D29712449Ee254bb1400C2"), proxy_code.V07),
    FACTORIES["0.8"]: (Address("0x28426d752372D68d34340bd94390950DcE3C9ec3"), proxy_code.V08),
}

_GET_ADDRESS = bytes.fromhex("8cb84e18")
_CREATE_ACCOUNT = bytes.fromhex("5fbfb9cf")
_INITIALIZE = bytes.fromhex("c4d66de8")
# executeBatch(address[],uint256[],bytes[])
_EXECUTE_BATCH_V07 = bytes.fromhex("47e1da2a")


class SimpleAccountProvider:
    """`simple_account`."""

    name = "simple_account"
    grants = False

    def __init__(self, entry_point: str = "0.7", factory: Address | None = None) -> None:
        self._entry_point = entry_point
        self.factory = factory or FACTORIES[entry_point]

    def address(self, owner: Address, salt: int) -> Address | None:
        """By CREATE2 for the published factories, else unknown."""
        if self.factory not in _PROXIES:
            return None
        implementation, code = _PROXIES[self.factory]
        initialize = encoding.dynamic_bytes(_INITIALIZE + encoding.address(owner))
        arguments = encoding.sequence(encoding.address(implementation), initialize)
        code_hash = keccak256(code + arguments)
        return create2_address(self.factory, salt.to_bytes(32, "big"), code_hash)

    def derive_call(self, owner: Address, salt: int) -> bytes:
        """`getAddress(owner, salt)`."""
        return _GET_ADDRESS + encoding.address(owner) + encoding.number(salt)

    def init(self, owner: Address, salt: int) -> tuple[Address, bytes]:
        """`createAccount(owner, salt)`."""
        return self.factory, _CREATE_ACCOUNT + encoding.address(owner) + encoding.number(salt)

    def encode(self, calls: Sequence[TxCall], grant: Grant | None = None) -> bytes:
        """Version 0.7 has a batch of three arrays, 0.8 one of structs."""
        del grant
        if len(calls) == 1 or self._entry_point != "0.7":
            return encode_calls(calls)
        return _EXECUTE_BATCH_V07 + encoding.sequence(
            encoding.array([encoding.address(call.to) for call in calls]),
            encoding.array([encoding.number(call.value) for call in calls]),
            encoding.array([encoding.dynamic_bytes(call.data) for call in calls]),
        )

    def nonce_key(self, operation_id: str, grant: Grant | None = None) -> int:
        """The operation's own key."""
        del grant
        return key_of(operation_id)

    def dummy_signature(self, grant: Grant | None = None) -> bytes:
        """65 bytes that recover to somebody."""
        del grant
        return DUMMY_SIGNATURE

    def sign(self, user_op_hash: bytes, signer: Signer, grant: Grant | None = None) -> bytes:
        """The owner's signature: of a personal message in 0.7, of the hash itself in 0.8."""
        del grant
        if self._entry_point == "0.7":
            return sign_personally(user_op_hash, signer)
        return signer.sign(user_op_hash)

    def typed_data(self, grant: Grant) -> dict[str, JsonValue]:
        """Raises NotImplementedHere."""
        raise _no_grants(grant)

    def grant_digest(self, grant: Grant) -> bytes:
        """Raises NotImplementedHere."""
        raise _no_grants(grant)

    def revoke_call(self, grant: Grant) -> TxCall:
        """Raises NotImplementedHere."""
        raise _no_grants(grant)


def _no_grants(grant: Grant) -> NotImplementedHere:
    return NotImplementedHere(f"the wallets of chain {grant.chain_id} know no grants")
