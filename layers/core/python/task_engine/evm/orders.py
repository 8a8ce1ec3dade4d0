"""What wallets are asked to do, and what carrying it out needs from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from task_engine.clock import Clock
from task_engine.errors import EngineError, NodeError
from task_engine.evm.chains import Chains
from task_engine.evm.wallets.factories import WalletFactories
from task_engine.evm.wallets.provider import TxCall
from task_engine.model.grant import Grant
from task_engine.model.operation import Operation
from task_engine.model.wallet import Wallet

if TYPE_CHECKING:
    from task_engine.evm.estimate import Estimator
    from task_engine.evm.paymasters.ports import Paymaster
    from task_engine.evm.senders.ports import Sender


class Operations(Protocol):
    """Records of operations."""

    def get(self, operation_id: str) -> Operation | None:
        """None when it was never prepared."""

    def create(self, operation: Operation) -> Operation:
        """Write it unless its id is known; returns what stands there then."""

    def save(self, operation: Operation) -> Operation:
        """Write how far it came unless it is final or was prepared anew; returns what stands there
        then."""

    def renew(self, before: Operation, after: Operation) -> Operation:
        """Put `after` in the place of `before` unless something else stands there or it is final;
        returns what stands there then."""


class ActiveGrants(Protocol):
    """Grants by wallet."""

    def active(self, owner: str, chain_id: int, wallet: str) -> Grant | None:
        """The one that the controller may use."""


class Delays(Protocol):
    """Since when orders can't be prepared, for those that can't."""

    def since(self, order_id: str, now_ms: int) -> int:
        """The time that was given when this was asked first, kept for a day at least."""


class Lane(Protocol):
    """How operations of one chain are priced, paid for and sent."""

    @property
    def sender(self) -> Sender:
        """Who brings them on chain."""

    @property
    def estimator(self) -> Estimator:
        """Who knows what they need."""

    @property
    def paymaster(self) -> Paymaster | None:
        """Who pays, None = the wallet."""


WalletOf = Callable[[str, int, str], Wallet]
"""The owner's wallet at an address of a chain; raises NotFound for another owner's."""


@dataclass(frozen=True, slots=True)
class WriterPorts:
    """What a writer works with; `lanes` gives a chain's lane."""

    operations: Operations
    delays: Delays
    grants: ActiveGrants
    wallet_of: WalletOf
    chains: Chains
    factories: WalletFactories
    lanes: Callable[[int], Lane]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Order:
    """Calls that a wallet is to make, all or none, under a name that takes effect once only.

    `gas_limit` 0 = as estimated. `contracts` are what orders after it will call: they must be there
    before this one is sent. `whole`: the value of the only call is all that the wallet holds when
    the order is prepared. `returns` says that whoever gave the order asks again until it has ended:
    then what stands in the way for a moment is no failure.
    """

    id: str
    owner: str
    chain_id: int
    wallet: str
    calls: tuple[TxCall, ...]
    gas_limit: int = 0
    contracts: tuple[str, ...] = ()
    whole: bool = False
    returns: bool = False

    def moving(self, value: int) -> Order:
        """The same with that value of its only call."""
        [call] = self.calls
        return replace(self, calls=(replace(call, value=value),), whole=False)


class NotPrepared(NodeError):
    """What stands in the way of preparing an order may pass: nothing was sent. `since` is when it
    was first asked for, in ms."""

    def __init__(self, cause: EngineError, since: int) -> None:
        super().__init__(cause.message, code=cause.stable_code, retryable=True)
        self.since = since
