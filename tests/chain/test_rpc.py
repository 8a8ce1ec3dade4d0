"""The client of nodes against a real one: its answers, its errors, its end and its return."""

from __future__ import annotations

from pathlib import Path

import pytest
from task_engine.evm.failures import RpcError
from task_engine.evm.node import RpcRequest
from task_engine.evm.rpc import Rpc
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonValue

from infra_cdk.local.chain import start_chain
from infra_cdk.local.settings import LocalSettings
from tests.chain.rig import Rig, calling, word

NOWHERE = "http://127.0.0.1:1"


def _rpc(rig: Rig, *urls: str) -> Rpc:
    return Rpc(Chain(rig.chain_id, rpc_urls=urls or (rig.url,)))


def test_many_calls_are_answered_in_their_order(rig: Rig) -> None:
    # Those that other tests act for are told too.
    accounts = rig.node.call("eth_accounts")[:10]
    calls: list[RpcRequest] = [("eth_getBalance", [account, "latest"]) for account in accounts]
    for place, account in enumerate(accounts):
        rig.fund(account, place + 1)
    assert _rpc(rig).batch(calls * 25) == [hex(place + 1) for place in range(10)] * 25


def test_a_revert_among_other_calls_brings_its_data(rig: Rig) -> None:
    # Given a transfer of more than there is
    data = calling("transfer(address,uint256)", word(rig.counter), word(10**30))
    transfer: JsonValue = {"to": rig.token, "data": "0x" + data.hex()}
    calls: list[RpcRequest] = [
        ("eth_call", [transfer, "latest"]),
        ("eth_blockNumber", []),
        ("eth_noSuchMethod", []),
        ("eth_getBalance", ["0x12", "latest"]),
    ]
    # When
    reverted, block, unknown, wrong = _rpc(rig).batch(calls)
    # Then
    assert block == rig.node.call("eth_blockNumber")
    assert isinstance(reverted, RpcError)
    assert isinstance(unknown, RpcError)
    assert isinstance(wrong, RpcError)
    assert (reverted.reverted, unknown.reverted, wrong.reverted) == (True, False, False)
    assert len(reverted.data) >= 10
    assert (unknown.rpc_code, wrong.rpc_code) == (-32601, -32602)
    assert not any(error.may_retry for error in (reverted, unknown, wrong))


def test_a_node_of_another_chain_is_refused_and_another_takes_its_place(
    rig: Rig, tmp_path: Path
) -> None:
    # Given a node of chain 5 where one of this chain is said to be
    other = start_chain(LocalSettings(), 5, tmp_path)
    try:
        with pytest.raises(RpcError, match="is of chain 5"):
            _rpc(rig, other.rpc_url).call("eth_blockNumber")
        rpc = _rpc(rig, NOWHERE, other.rpc_url, rig.url)
        assert rpc.call("eth_chainId") == hex(rig.chain_id)
    finally:
        other.process.stop()


def test_a_node_that_ends_is_told_as_unavailable(tmp_path: Path) -> None:
    # Given a client that was answered by a node
    chain = start_chain(LocalSettings(), 5, tmp_path)
    rpc = Rpc(Chain(5, rpc_urls=(chain.rpc_url,)))
    try:
        assert rpc.call("eth_blockNumber") == "0x0"
    finally:
        # When the node ends
        chain.process.stop()
    # Then
    with pytest.raises(RpcError, match=r"127\.0\.0\.1:\d+ the connection was refused") as caught:
        rpc.call("eth_blockNumber")
    assert caught.value.may_retry
