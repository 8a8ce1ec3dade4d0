"""Which chains are served, through which clients, and how many calls a run may make."""

from __future__ import annotations

import threading

import pytest
from task_engine.errors import NodeError
from task_engine.evm.chains import Chains
from task_engine.evm.rpc import Rpc
from task_engine.model.chain import Chain

from tests.unit.evm.nodes import CHAIN_ID, running_node


def test_a_chain_that_is_not_served_is_named_with_those_that_are() -> None:
    chains = Chains({5: Chain(5), 1: Chain(1)})
    with pytest.raises(NodeError, match=r"chain 7 is not configured here \(there are: 1, 5\)") as e:
        chains.rpc(7)
    assert e.value.stable_code == "INVALID_NODE_CONFIG"
    assert chains.chain(5) == Chain(5)
    with pytest.raises(NodeError, match="there are: none"):
        Chains({}).bundler(1)


def test_a_chain_without_a_node_is_known_and_cannot_be_asked() -> None:
    with pytest.raises(NodeError, match="chain 5 has no RPC URL here") as caught:
        Chains({5: Chain(5)}).rpc(5)
    assert caught.value.stable_code == "RPC_NODE_ERROR"


def test_clients_are_made_once_even_by_many_threads() -> None:
    chains = Chains({5: Chain(5, rpc_urls=("http://127.0.0.1:1",))})
    made: list[Rpc] = []
    threads = [threading.Thread(target=lambda: made.append(chains.rpc(5))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 16
    assert len(set(made)) == 1


def test_bundler_and_paymaster_have_clients_where_there_is_one() -> None:
    with running_node() as node, running_node() as service:
        node.results["who"], service.results["who"] = "node", "service"
        del service.results["eth_chainId"]
        own = Chain(1, rpc_urls=(node.url,))
        all_ = Chain(
            CHAIN_ID, rpc_urls=(node.url,), bundler_url=service.url, paymaster_url=service.url
        )
        chains = Chains({1: own, CHAIN_ID: all_})
        assert (chains.bundler(1), chains.paymaster(1)) == (None, None)
        bundler, paymaster = chains.bundler(CHAIN_ID), chains.paymaster(CHAIN_ID)
        assert bundler is not None
        assert paymaster is not None
        assert [c.call("who") for c in (chains.rpc(CHAIN_ID), bundler, paymaster)] == [
            "node",
            "service",
            "service",
        ]
