"""Addresses that are known before anything is deployed (EIP-1014)."""

from __future__ import annotations

from task_engine.evm.address import Address, keccak256

MAX_SALT = 2**256 - 1


def create2_address(deployer: Address, salt: bytes, init_code_hash: bytes) -> Address:
    """Address of a CREATE2 deployment; `salt` and `init_code_hash` are 32 bytes each.

    https://eips.ethereum.org/EIPS/eip-1014
    """
    return Address.of_bytes(keccak256(b"\xff" + deployer.raw + salt + init_code_hash)[12:])
