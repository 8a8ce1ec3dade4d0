"""Addresses that are known before anything is deployed (EIP-1014)."""

from __future__ import annotations

from task_engine.errors import ConfigurationError
from task_engine.evm.address import Address, keccak256

MAX_SALT = 2**256 - 1


def create2_address(deployer: Address, salt: bytes, init_code_hash: bytes) -> Address:
    """Address of a CREATE2 deployment; `salt` and `init_code_hash` are 32 bytes each.

    https://eips.ethereum.org/EIPS/eip-1014
    """
    return Address.of_bytes(keccak256(b"\xff" + deployer.raw + salt + init_code_hash)[12:])


def wallet_address(factory: Address, init_code_hash: str, owner: Address, salt: int) -> Address:
    """Address of the owner's smart wallet number `salt` (0..2^256-1) at `factory`.

    The deployment's salt is the hash of the ABI encoding of (address owner, uint256 salt). Raises
    ConfigurationError when `init_code_hash` is not 32 bytes of hex.
    """
    encoded = bytes(12) + owner.raw + salt.to_bytes(32, "big")
    return create2_address(factory, keccak256(encoded), _hash_bytes(init_code_hash))


def _hash_bytes(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise ConfigurationError("the setting INIT_CODE_HASH is not hexadecimal") from error
    if len(raw) != 32:
        raise ConfigurationError("the setting INIT_CODE_HASH must be 32 bytes")
    return raw
