"""A chain with contracts, wallets of the plainest kind, and ways for a process to die."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from task_engine.clock import SystemClock
from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.entry_point import ENTRY_POINTS, EntryPoint, key_of, nonce_of
from task_engine.evm.estimate import SelfEstimator
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.rpc import Rpc
from task_engine.evm.senders.ports import Outcome, SenderBusy
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.senders.self_bundler import SelfBundler, SendingRules
from task_engine.evm.signature import personal_message_hash
from task_engine.evm.signer import LocalSigner
from task_engine.evm.user_operation import UserOperation
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import OperationStatus

from infra_cdk.local.contracts import DevelopmentNode, canonical_deployments

CHAIN_ID = 11155111
ETHER = 10**18
GWEI = 10**9
# Well-formed, of nobody.
DUMMY = bytes([1]) * 32 + bytes([1]) * 32 + b"\x1b"


class Died(BaseException):
    """The process is gone: nothing after this point happened."""


class Leases:
    """A KeyLease in memory; a holder that died keeps it until `forget`."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    @contextmanager
    def hold(self, name: str, seconds: int) -> Iterator[None]:
        if name in self.held:
            raise SenderBusy("in use")
        self.held.add(name)
        try:
            yield
        except Died:
            raise
        except BaseException:
            self.held.discard(name)
            raise
        self.held.discard(name)

    def forget(self) -> None:
        self.held.clear()


@dataclass
class Mortal:
    """A node's client; the process dies before or after the first call of a method."""

    rpc: RpcPort
    method: str = ""
    after: bool = False
    sent: list[str] = field(default_factory=list)

    @property
    def chain_id(self) -> int:
        return self.rpc.chain_id

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        return cast(
            "JsonValue", self._around(method, lambda: self.rpc.call(method, *params), params)
        )

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        names = [method for method, _ in calls]
        name = self.method if self.method in names else names[0]
        answers = self._around(name, lambda: self.rpc.batch(calls, until=until), ())
        return cast("list[JsonValue | RpcError]", answers)

    def _around(self, method: str, work: Callable[[], Any], params: Sequence[JsonValue]) -> Any:
        dying = method == self.method
        if dying:
            self.method = ""
        if dying and not self.after:
            raise Died
        answer = work()
        if method == "eth_sendRawTransaction":
            self.sent.append(str(params[0]))
        if dying:
            raise Died
        return answer


@dataclass
class Wallet:
    """A SimpleAccount of the owner's."""

    owner: LocalSigner
    address: Address
    factory: Address
    factory_data: bytes


@dataclass
class ChainWorld:
    """One anvil with everything installed."""

    url: str
    version: str = "0.7"
    leases: Leases = field(default_factory=Leases)

    def __post_init__(self) -> None:
        self.node = DevelopmentNode(self.url)
        self.rpc = Rpc(Chain(CHAIN_ID, (self.url,)), clock=SystemClock())
        self.bundler = self.funded_key()

    @property
    def entry_point(self) -> EntryPoint:
        return ENTRY_POINTS[self.version]

    def funded_key(self, wei: int = ETHER) -> LocalSigner:
        """A key that nobody else uses."""
        signer = LocalSigner("0x" + os.urandom(32).hex())
        self.node.call("anvil_setBalance", signer.address, hex(wei))
        return signer

    def wallet(self, wei: int = ETHER) -> Wallet:
        """Of a new owner, not deployed."""
        owner = LocalSigner("0x" + os.urandom(32).hex())
        name = "SimpleAccountFactoryV" + self.version.replace(".", "")
        factory = canonical_deployments()[name].address
        arguments = encoding.address(owner.address) + encoding.number(0)
        asked = {
            "to": factory,
            "data": "0x" + (selector("getAddress(address,uint256)") + arguments).hex(),
        }
        address = Address("0x" + self.node.call("eth_call", asked, "latest")[-40:])
        if wei:
            self.node.call("anvil_setBalance", address, hex(wei))
        creation = selector("createAccount(address,uint256)") + arguments
        return Wallet(owner, address, factory, creation)

    def counting(self, wallet: Wallet, counter: Address, name: str = "") -> UserOperation:
        """An operation that raises the counter by one."""
        return self.operation(wallet, counter, selector("increment()"), name=name)

    def operation(
        self, wallet: Wallet, to: Address, data: bytes, *, value: int = 0, name: str = ""
    ) -> UserOperation:
        """Estimated and signed; `name` gives the nonce, "" a new one."""
        op = self.estimated(self.draft(wallet, to, data, value=value, name=name))
        return self.signed(wallet, op)

    def draft(
        self, wallet: Wallet, to: Address, data: bytes, *, value: int = 0, name: str = ""
    ) -> UserOperation:
        """With a signature that only looks like one."""
        deployed = self.node.has_code(wallet.address)
        execute = encoding.sequence(
            encoding.address(to), encoding.number(value), encoding.dynamic_bytes(data)
        )
        return UserOperation(
            sender=wallet.address,
            nonce=nonce_of(key_of(name or os.urandom(8).hex())),
            call_data=selector("execute(address,uint256,bytes)") + execute,
            factory=None if deployed else wallet.factory,
            factory_data=b"" if deployed else wallet.factory_data,
            signature=DUMMY,
        )

    def estimated(self, op: UserOperation) -> UserOperation:
        return SelfEstimator(self.rpc, self.entry_point).estimate(op)

    def signed(self, wallet: Wallet, op: UserOperation) -> UserOperation:
        digest = op.hash(self.entry_point, CHAIN_ID)
        if self.version == "0.7":
            digest = personal_message_hash(digest)
        return replace(op, signature=wallet.owner.sign(digest))

    def sender(self, rpc: RpcPort | None = None, **rules: int) -> SelfBundler:
        """A new one stands for a new process."""
        return SelfBundler(
            rpc or self.rpc, self.entry_point, self.bundler, self.leases, SendingRules(**rules)
        )

    def deploy(self, wallet: Wallet, counter: Address) -> None:
        """By an operation of its own."""
        kept = Kept()
        op = self.counting(wallet, counter)
        kept.settle(self, op)

    def events(self, wallet: Wallet) -> list[dict[str, Any]]:
        """All operations of the wallet on the chain."""
        topic = "0x" + encoding.address(wallet.address).hex()
        event = "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f"
        asked = {"fromBlock": "0x0", "toBlock": "latest", "topics": [event, None, topic]}
        found: list[dict[str, Any]] = self.node.call("eth_getLogs", asked)
        return found

    def count_of(self, counter: Address, wallet: Wallet) -> int:
        """How often the wallet raised it."""
        data = selector("countOf(address)") + encoding.address(wallet.address)
        return int(
            self.node.call("eth_call", {"to": counter, "data": "0x" + data.hex()}, "latest"), 16
        )

    def transactions(self) -> int:
        """Mined ones of the sending account."""
        return int(self.node.call("eth_getTransactionCount", self.bundler.address, "latest"), 16)

    def balance(self, address: Address) -> int:
        return int(self.node.call("eth_getBalance", address, "latest"), 16)

    def mine(self, blocks: int = 1) -> None:
        self.node.call("anvil_mine", hex(blocks))

    @contextmanager
    def holding_back(self) -> Iterator[None]:
        """Blocks come only when asked for."""
        self.node.call("evm_setAutomine", False)
        try:
            yield
        finally:
            self.node.call("evm_setAutomine", True)


@dataclass
class Kept:
    """What survives the processes."""

    record: SentRecord | None = None
    saves: int = 0

    def save(self, record: SentRecord) -> None:
        self.record = SentRecord.from_json(dict(record.to_json()))
        self.saves += 1

    def send(self, world: ChainWorld, op: UserOperation, **rules: int) -> Outcome:
        """By a new process."""
        return world.sender(world.rpc, **rules).send(op, self.record, self.save)

    def settle(self, world: ChainWorld, op: UserOperation, **rules: int) -> Outcome:
        """Go on until it is over; a block for each step."""
        for _ in range(12):
            outcome = self.send(world, op, **rules)
            if outcome.status.final:
                return outcome
            world.mine()
        raise AssertionError(f"not settled: {outcome.status} {outcome.reason}")


FINAL = {OperationStatus.CONFIRMED, OperationStatus.FAILED, OperationStatus.DROPPED}


def selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]
