"""What every kind of smart wallet offers to the rest of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from task_engine.errors import ConfigurationError
from task_engine.evm.address import Address
from task_engine.evm.signature import personal_message_hash
from task_engine.evm.signer import Signer
from task_engine.model.grant import Grant
from task_engine.model.json_value import JsonValue

# Of the right form, with a low s, and recoverable to some account: what estimates run with.
DUMMY_SIGNATURE = bytes.fromhex("ff" * 15 + "f0" + "00" * 16 + "7a" + "aa" * 31 + "1c")


@dataclass(frozen=True, slots=True)
class TxCall:
    """One call that a wallet makes; `value` in wei."""

    to: Address
    value: int = 0
    data: bytes = b""


class WalletProvider(Protocol):
    """One kind of wallet at one factory and entry point."""

    @property
    def name(self) -> str:
        """Its name in the settings."""

    @property
    def factory(self) -> Address:
        """Who makes the wallets."""

    @property
    def grants(self) -> bool:
        """Whether the engine's key may act by a grant; without it only the owner's key acts."""

    def address(self, owner: Address, salt: int) -> Address | None:
        """The wallet's address without asking anybody; None when only the factory knows."""

    def derive_call(self, owner: Address, salt: int) -> bytes:
        """Call data for the factory; its answer is the wallet's address as a word."""

    def init(self, owner: Address, salt: int) -> tuple[Address, bytes]:
        """`factory` and `factoryData` of the operation that makes the wallet."""

    def encode(self, calls: Sequence[TxCall], grant: Grant | None = None) -> bytes:
        """`callData` of an operation: one call, or several of which all or none happen."""

    def nonce_key(self, operation_id: str, grant: Grant | None = None) -> int:
        """The 192-bit key of the operation's nonce: the same for the same operation."""

    def dummy_signature(self, grant: Grant | None = None) -> bytes:
        """As long as the real one and as dear to check; it never verifies."""

    def sign(self, user_op_hash: bytes, signer: Signer, grant: Grant | None = None) -> bytes:
        """`signature` of an operation: by the grant's signer, or by the owner without a grant."""

    def typed_data(self, grant: Grant) -> dict[str, JsonValue]:
        """What the owner signs to give the grant, as `eth_signTypedData_v4` takes it."""

    def grant_digest(self, grant: Grant) -> bytes:
        """The 32 bytes that signing `typed_data` signs."""

    def revoke_call(self, grant: Grant) -> TxCall:
        """The call by which the owner takes the grant back on chain."""


def sign_personally(digest: bytes, signer: Signer) -> bytes:
    """The signature of a hash as a personal message (EIP-191), 65 bytes."""
    return signer.sign(personal_message_hash(digest))


def signed_grant(grant: Grant) -> bytes:
    """The owner's signature of it; raises ConfigurationError for an unsigned one."""
    if not grant.signature:
        raise ConfigurationError(f"the grant {grant.id} was used before its owner signed it")
    return bytes.fromhex(grant.signature[2:])
