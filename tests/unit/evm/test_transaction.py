"""Our transactions against those of eth_account."""

from __future__ import annotations

from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from task_engine.evm.address import Address
from task_engine.evm.signer import LocalSigner
from task_engine.evm.transaction import Transaction, sign_transaction

KEY = "0x" + "4c" * 32
number = st.integers(min_value=0, max_value=2**64)


@given(
    key=st.integers(min_value=1, max_value=2**255).map(lambda n: f"0x{n:064x}"),
    numbers=st.tuples(number, number),
    fees=st.tuples(number, number).map(sorted),
    value=st.integers(min_value=0, max_value=2**128),
    data=st.binary(max_size=400),
    to=st.binary(min_size=20, max_size=20),
)
def test_bytes_and_hash_are_those_of_another_implementation(
    key: str, numbers: tuple[int, int], fees: list[int], value: int, data: bytes, to: bytes
) -> None:
    nonce, gas = numbers
    target = Address.of_bytes(to)
    tip, most = fees
    ours = sign_transaction(
        Transaction(11155111, nonce, target, data, gas, most, tip, value), LocalSigner(key)
    )
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": 11155111,
            "nonce": nonce,
            "to": target,
            "data": data,
            "gas": gas,
            "maxFeePerGas": most,
            "maxPriorityFeePerGas": tip,
            "value": value,
        },
        key,
    )
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == bytes(theirs.hash)


def test_the_same_transaction_is_signed_the_same_way_again() -> None:
    given_transaction = Transaction(1, 0, Address("0x" + "11" * 20), b"", 21000, 2, 1)
    signer = LocalSigner(KEY)
    first = sign_transaction(given_transaction, signer)
    assert sign_transaction(given_transaction, signer) == first
    assert Account.recover_transaction(first.raw) == signer.address
