"""Everything behind a contractWrite node, with a chain that is real and stores in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from task_engine.clock import Clock, SystemClock
from task_engine.errors import NotFound
from task_engine.evm.address import Address
from task_engine.evm.chains import Chains
from task_engine.evm.entry_point import ENTRY_POINTS, USER_OPERATION_EVENT
from task_engine.evm.estimate import Estimator, SelfEstimator
from task_engine.evm.orders import WriterPorts
from task_engine.evm.paymasters.ports import Paymaster
from task_engine.evm.paymasters.verifying import VerifyingPaymaster
from task_engine.evm.senders.ports import Sender
from task_engine.evm.senders.self_bundler import SelfBundler
from task_engine.evm.signer import LocalSigner
from task_engine.evm.simulation import ChainSimulator
from task_engine.evm.wallet_writer import WalletWriter
from task_engine.evm.wallets.factories import WalletFactories
from task_engine.model.chain import Chain
from task_engine.model.execution import Outcome
from task_engine.model.grant import Grant, GrantStatus, Permission, SpendCap
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.model.wallet import Wallet
from task_engine.processors.base import Origin, Scope
from task_engine.processors.contract_write import ContractWriteProcessor
from task_engine.processors.eth_transfer import EthTransferProcessor
from task_engine.processors.write_ports import WritePorts

from infra_cdk.local.contracts import install_paymaster, load_artifact
from tests.chain.rig import Rig
from tests.chain.senders.world import Leases
from tests.fakes.clock import FakeClock
from tests.fakes.wallets import FakeDelays, FakeOperations

SELECTORS = {"increment()": "0xd09de08a", "add(uint256)": "0x1003e2d2"}


@dataclass
class _Lane:
    sender: Sender
    estimator: Estimator
    paymaster: Paymaster | None = None


@dataclass
class WriteWorld:
    """One owner with one wallet; a new writer stands for a new process.

    `sponsor_seconds` is how far the sponsor's clock is ahead; `sending` may put something in the
    place of what sends; `url` is where the chain is asked, its own if "".
    """

    rig: Rig
    sponsored: bool = False
    operations: FakeOperations = field(default_factory=FakeOperations)
    leases: Leases = field(default_factory=Leases)
    grant: Grant | None = None
    sponsor_seconds: int = 0
    url: str = ""
    clock: Clock = field(default_factory=SystemClock)
    delays: FakeDelays = field(default_factory=FakeDelays)
    sending: Callable[[Sender], Sender] = lambda sender: sender

    def __post_init__(self) -> None:
        self.owner, self.controller, self.bundler, self.patron = (
            LocalSigner("0x" + os.urandom(32).hex()) for _ in range(4)
        )
        self.rig.fund(self.bundler.address, 10**20)
        chain = Chain(self.rig.chain_id, (self.url or self.rig.url,))
        self.chains = Chains({chain.id: chain})
        self.factories = WalletFactories({chain.id: chain}, self.chains)
        factory = self.factories.default(self.rig.chain_id)
        address = self.factories.address(self.rig.chain_id, factory, self.owner.address, 0)
        self.wallet = Wallet(self.owner.address, self.rig.chain_id, address, factory, "0")
        if self.sponsored:
            self.payer = install_paymaster(self.rig.url, self.patron.address, 10**19)
        self.rpc: Any = self.chains.rpc(self.rig.chain_id)
        self.simulator = ChainSimulator(self.chains)

    def give(self, *permissions: Permission, cap: SpendCap | None = None, **changes: Any) -> Grant:
        """The owner signs a grant for the controller."""
        grant = Grant(
            id="0x" + os.urandom(32).hex(),
            owner=self.owner.address,
            wallet=self.wallet.address,
            chain_id=self.rig.chain_id,
            entity_id=1,
            signer=self.controller.address,
            valid_after=0,
            valid_until=self.rig.now() + 3600,
            permissions=permissions,
            erc20_cap=cap,
            status=GrantStatus.ACTIVE,
        )
        grant = replace(grant, **changes)
        provider = self.factories.provider(self.rig.chain_id, self.wallet.factory)
        signature = self.owner.sign(provider.grant_digest(grant))
        self.grant = replace(grant, signature="0x" + signature.hex())
        return self.grant

    def active(self, owner: str, chain_id: int, wallet: str) -> Grant | None:
        return self.grant

    def _wallet_of(self, owner: str, chain_id: int, address: str) -> Wallet:
        if (owner, Address(address)) != (self.wallet.owner, self.wallet.address):
            raise NotFound("no such wallet", code="WALLETS_NOT_FOUND")
        return self.wallet

    def _lane(self, chain_id: int) -> _Lane:
        point = ENTRY_POINTS["0.7"]
        sender = SelfBundler(self.rpc, point, self.bundler, self.leases)
        paymaster = None
        if self.sponsored:
            clock = FakeClock(SystemClock().now_ms() + 1000 * self.sponsor_seconds)
            paymaster = VerifyingPaymaster(self.payer, chain_id, self.patron, clock)
        return _Lane(self.sending(sender), SelfEstimator(self.rpc, point), paymaster)

    def writer(self) -> WalletWriter:
        ports = WriterPorts(
            operations=self.operations,
            delays=self.delays,
            grants=self,
            wallet_of=self._wallet_of,
            chains=self.chains,
            factories=self.factories,
            lanes=self._lane,
            clock=self.clock,
        )
        return WalletWriter(ports, self.controller)

    def ports(self) -> WritePorts:
        return WritePorts(self.writer, self.simulator, self.clock.now_ms)

    def scope(self, *, simulated: bool = False, execution: str = "e1", **variables: Any) -> Scope:
        origin = Origin(execution, "t1", self.owner.address)
        return Scope(
            {"aa_sender": self.wallet.address, **variables},
            simulated=simulated,
            origin=origin,
            run_key=execution if simulated else "",
        )

    def write(self, scope: Scope | None = None, node: str = "n1", **config: JsonValue) -> Outcome:
        """One invocation of a contractWrite node."""
        given: dict[str, JsonValue] = {
            "contractAddress": self.rig.counter,
            "contractAbi": load_artifact("Counter")["abi"],
            "chainId": self.rig.chain_id,
            **config,
        }
        node_of = PlanNode(node, node, NodeType.CONTRACT_WRITE, given, 1)
        return ContractWriteProcessor(self.ports()).run(node_of, scope or self.scope())

    def transfer(self, scope: Scope | None = None, **config: JsonValue) -> Outcome:
        """One invocation of an ethTransfer node."""
        given: dict[str, JsonValue] = {"chainId": self.rig.chain_id, **config}
        node_of = PlanNode("pay", "pay", NodeType.ETH_TRANSFER, given, 1)
        sponsored = frozenset([self.rig.chain_id] if self.sponsored else [])
        processor = EthTransferProcessor(self.ports(), self.chains, sponsored)
        return processor.run(node_of, scope or self.scope())

    def counted(self) -> int:
        """How often the wallet raised the counter, as the chain knows."""
        data = _selector("countOf(address)") + bytes(12) + Address(self.wallet.address).raw
        return self.rig.number(self.rig.counter, data)

    def events(self) -> int:
        """Operations of the wallet on chain."""
        topic = "0x" + (bytes(12) + Address(self.wallet.address).raw).hex()
        topics = [USER_OPERATION_EVENT, None, topic]
        asked = {"fromBlock": "0x0", "toBlock": "latest", "topics": topics}
        return len(self.rig.node.call("eth_getLogs", asked))


def counter_grant(world: WriteWorld, *signatures: str, value: int = 0) -> Grant:
    """A grant of methods of the counter."""
    return world.give(
        *(
            Permission(world.rig.counter, "0x" + _selector(signature).hex(), value)
            for signature in signatures
        )
    )


def call(name: str, *params: JsonValue, **more: JsonValue) -> dict[str, JsonValue]:
    """An entry of methodCalls."""
    return {"methodName": name, "methodParams": list(params), **more}


def _selector(signature: str) -> bytes:
    from task_engine.evm.address import keccak256  # noqa: PLC0415

    return keccak256(signature.encode())[:4]
