"""What nodes that write on chain work with, and what they call themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from task_engine.evm.orders import Order
from task_engine.evm.simulated import Erc20Override, SimulatedCall, SimulatedResult
from task_engine.model.operation import Operation

BUNDLER = "bundler"
# The word that clients look for, whoever simulates.
SIMULATOR = "tenderly"


class Writer(Protocol):
    """Carries orders of wallets out."""

    def write(self, order: Order) -> Operation:
        """How far the order is; raises NodeError while nothing was sent."""


class Simulator(Protocol):
    """Tries calls out; later ones of a run see what earlier ones changed."""

    def simulate(
        self,
        run_key: str,
        chain_id: int,
        call: SimulatedCall,
        overrides: Sequence[Erc20Override] = (),
    ) -> SimulatedResult:
        """What the call would do now; raises RpcError."""


@dataclass(frozen=True, slots=True)
class WritePorts:
    """How writes get on chain, and how they are tried out. `writer` is made when one is sent."""

    writer: Callable[[], Writer]
    simulator: Simulator
    now_ms: Callable[[], int]
