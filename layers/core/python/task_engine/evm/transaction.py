"""Transactions of an account of our own, with the fee market's two prices (EIP-1559, type 2).

https://eips.ethereum.org/EIPS/eip-1559
"""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.evm.address import Address, keccak256
from task_engine.evm.rlp import RlpItem, encode_rlp
from task_engine.evm.signer import Signer

_TYPE = b"\x02"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is signed. Prices are wei per gas; there is no access list."""

    chain_id: int
    nonce: int
    to: Address
    data: bytes
    gas_limit: int
    max_fee: int
    priority_fee: int
    value: int = 0


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Ready for eth_sendRawTransaction; `hash` names it on the chain (32 bytes)."""

    raw: bytes
    hash: bytes


def sign_transaction(transaction: Transaction, signer: Signer) -> SignedTransaction:
    """One signature by the signer."""
    fields = _fields(transaction)
    signature = signer.sign(keccak256(_TYPE + encode_rlp(fields)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    raw = _TYPE + encode_rlp([*fields, signature[64] - 27, r, s])
    return SignedTransaction(raw, keccak256(raw))


def _fields(transaction: Transaction) -> list[RlpItem]:
    return [
        transaction.chain_id,
        transaction.nonce,
        transaction.priority_fee,
        transaction.max_fee,
        transaction.gas_limit,
        transaction.to.raw,
        transaction.value,
        transaction.data,
        [],
    ]
