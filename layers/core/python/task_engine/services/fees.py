"""What a run would cost, by the workflow and the chain's price of gas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from task_engine.model.node import NodeType

# The published price list: flat per run, gas as it is paid, a share of the value moved.
EXECUTION_FEE_USD = "0.02"
VALUE_FEE_PERCENT = "0.03"
# What a node is taken to need when nobody can measure it.
GAS_UNITS: Mapping[NodeType, int] = {
    NodeType.CONTRACT_WRITE: 150_000,
    NodeType.ETH_TRANSFER: 50_000,
}
_LOOP_RUNS = 100

GasPrice = Callable[[int], int]
"""A chain's present price of one unit of gas, in wei; raises Unavailable (FEES_UNAVAILABLE)."""
_NATIVE: Mapping[int, str] = {56: "BNB", 97: "tBNB"}


@dataclass(frozen=True, slots=True)
class GasCost:
    """Gas of one node; `wei` is the price of `units`."""

    node_id: str
    units: int
    wei: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Fees of one run; `moves_value` says that the value fee applies."""

    chain_id: int
    gas: tuple[GasCost, ...]
    moves_value: bool
    native_symbol: str


@dataclass(frozen=True, slots=True)
class PricedNode:
    """A node as far as its price goes; `runner` is what a loop runs."""

    id: str
    type: NodeType
    runner: NodeType | None = None


def estimate_fees(nodes: tuple[PricedNode, ...], chain_id: int, gas_price: GasPrice) -> Estimate:
    """Fees of one run on a chain; the price of gas is asked for where some is needed. Raises as
    `gas_price`."""
    units = tuple(_gas_units(nodes))
    price = gas_price(chain_id) if units else 0
    return Estimate(
        chain_id=chain_id,
        gas=tuple(GasCost(node_id, gas, gas * price) for node_id, gas in units),
        moves_value=bool(units),
        native_symbol=_NATIVE.get(chain_id, "ETH"),
    )


def _gas_units(nodes: tuple[PricedNode, ...]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if node.type in GAS_UNITS:
            yield node.id, GAS_UNITS[node.type]
        elif node.runner is not None and node.runner in GAS_UNITS:
            yield node.id, GAS_UNITS[node.runner] * _LOOP_RUNS
