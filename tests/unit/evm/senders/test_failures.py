"""What EntryPoint, nodes and bundlers object to, in our words."""

from __future__ import annotations

import pytest
from task_engine.evm import encoding
from task_engine.evm.failures import RpcError
from task_engine.evm.senders.failures import (
    BundlerUnavailable,
    CallWouldRevert,
    OperationRefused,
    bundler_failure,
    preflight_failure,
)


def failed_op(text: str, inner: bytes | None = None) -> str:
    parts: list[bytes | encoding.Tail] = [encoding.number(0), encoding.dynamic_bytes(text.encode())]
    if inner is None:
        return "0x220266b6" + encoding.sequence(*parts).hex()
    return "0x65c8fd4d" + encoding.sequence(*parts, encoding.dynamic_bytes(inner)).hex()


def test_entry_points_two_errors_are_read() -> None:
    plain = preflight_failure(RpcError("reverted", data=failed_op("AA24 signature error")))
    assert isinstance(plain, OperationRefused)
    assert (plain.aa, plain.data) == ("AA24", b"")
    assert plain.message.endswith("(AA24 signature error)")
    inner = preflight_failure(RpcError("reverted", data=failed_op("AA23 reverted", b"\x01\x02")))
    assert isinstance(inner, OperationRefused)
    assert (inner.aa, inner.data) == ("AA23", b"\x01\x02")


def test_a_code_in_the_text_alone_is_enough() -> None:
    failure = preflight_failure(RpcError("execution reverted: AA21 didn't pay prefund"))
    assert isinstance(failure, OperationRefused)
    assert (failure.aa, failure.stable_code) == ("AA21", "INSUFFICIENT_BALANCE")


def test_a_revert_of_another_kind_is_a_refusal_too() -> None:
    failure = preflight_failure(RpcError("execution reverted", rpc_code=3, data="0x12345678"))
    assert isinstance(failure, OperationRefused)
    assert (failure.aa, failure.data) == ("", bytes.fromhex("12345678"))


def test_a_node_that_could_not_be_asked_says_nothing_of_the_operation() -> None:
    error = RpcError("no answer", may_retry=True)
    assert preflight_failure(error) is error


def test_bundlers_errors_are_told_apart() -> None:
    assert isinstance(bundler_failure(RpcError("x", may_retry=True)), BundlerUnavailable)
    revert = bundler_failure(RpcError("reverted", rpc_code=-32521, data="0x12345678"))
    assert isinstance(revert, CallWouldRevert)
    assert revert.data == bytes.fromhex("12345678")
    wallet = bundler_failure(RpcError("AA23 reverted", rpc_code=-32521))
    assert isinstance(wallet, OperationRefused)
    packed = bundler_failure(RpcError("reverted", data=failed_op("AA33 reverted", b"\x09")))
    assert isinstance(packed, OperationRefused)
    assert (packed.aa, packed.stable_code) == ("AA33", "INSUFFICIENT_CREDIT")


@pytest.mark.parametrize(
    "data", ["", "0x", "0x2202", "0x220266b6", "0xzz", "0x220266b6" + "ff" * 32]
)
def test_data_that_is_cut_off_breaks_nothing(data: str) -> None:
    failure = preflight_failure(RpcError("execution reverted", data=data))
    assert isinstance(failure, OperationRefused)


def test_an_unknown_code_keeps_its_words() -> None:
    failure = OperationRefused("AA99 something new")
    assert (failure.aa, failure.message) == (
        "AA99",
        "the operation was refused (AA99 something new)",
    )
