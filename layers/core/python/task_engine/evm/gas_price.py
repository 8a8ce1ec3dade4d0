"""What a unit of gas costs at present."""

from __future__ import annotations

from typing import Protocol

from task_engine.errors import NodeError, Unavailable
from task_engine.evm.eth_call import quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort


class Nodes(Protocol):
    """Nodes by chain id."""

    def rpc(self, chain_id: int) -> RpcPort:
        """Raises NodeError for a chain that is not configured or has no RPC URL."""


def gas_price(nodes: Nodes, chain_id: int) -> int:
    """In wei, as the chain's node suggests; raises Unavailable (FEES_UNAVAILABLE) when no node can
    be asked."""
    try:
        return quantity(nodes.rpc(chain_id).call("eth_gasPrice"))
    except (NodeError, RpcError) as error:
        text = f"the gas price of chain {chain_id} can't be read here: {error.message}"
        raise Unavailable(text, code="FEES_UNAVAILABLE") from error
