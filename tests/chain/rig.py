"""A development chain with the published contracts, and wallets that send their own operations."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi import decode
from task_engine.evm.address import Address, keccak256
from task_engine.evm.entry_point import (
    ENTRY_POINTS,
    FAILED_OP,
    USER_OPERATION_EVENT,
    EntryPoint,
    nonce_of,
)
from task_engine.evm.signer import LocalSigner, Signer
from task_engine.evm.user_operation import UserOperation
from task_engine.evm.wallets.provider import TxCall, WalletProvider
from task_engine.model.grant import Grant

from infra_cdk.local.contracts import (
    DevelopmentNode,
    install_contracts,
    install_counter,
    install_token,
    mint,
)

ETHER = 10**18
BENEFICIARY = Address("0x00000000000000000000000000000000000bEEF0")


class Refused(Exception):
    """The entry point would not take the operation: its reason, like "AA24 signature error"."""


def key(name: str) -> LocalSigner:
    """A key that belongs to a name."""
    return LocalSigner("0x" + keccak256(name.encode()).hex())


def calling(signature: str, *words: bytes) -> bytes:
    """Call data with arguments that are words."""
    return keccak256(signature.encode())[:4] + b"".join(words)


def word(value: int | Address) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else bytes(12) + value.raw


@dataclass(frozen=True, slots=True)
class Ran:
    """An operation on chain."""

    success: bool
    gas_cost: int
    gas_used: int
    transaction: dict[str, Any]


@dataclass
class Rig:
    """One chain; the tests of a module share it."""

    url: str
    chain_id: int
    addresses: dict[str, Address] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.node = DevelopmentNode(self.url)
        self.install_again()
        self.counter = install_counter(self.url)
        self.token = install_token(self.url, "Test dollar", "TUSD", 6)

    def install_again(self) -> None:
        self.addresses = install_contracts(self.url)

    def fund(self, address: Address, amount: int = ETHER) -> None:
        self.node.call("anvil_setBalance", address, hex(amount))

    def mint(self, to: Address, amount: int) -> None:
        mint(self.url, self.token, to, amount)

    def read(self, to: Address, data: bytes) -> bytes:
        call = {"to": to, "data": "0x" + data.hex()}
        return bytes.fromhex(self.node.call("eth_call", call, "latest")[2:])

    def number(self, to: Address, data: bytes) -> int:
        return int.from_bytes(self.read(to, data), "big")

    def balance(self, address: Address) -> int:
        return int(self.node.call("eth_getBalance", address, "latest"), 16)

    def now(self) -> int:
        return int(self.node.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def ahead(self) -> int:
        """Seconds that the chain's clock is ahead of this machine's; below 0 when no block came
        for a while."""
        return self.now() - int(time.time())

    def later(self, seconds: int) -> None:
        """A block that many seconds after whichever is later, the chain or this machine."""
        at = max(self.now(), int(time.time())) + seconds
        self.node.call("evm_setNextBlockTimestamp", hex(at))
        self.node.call("anvil_mine", "0x1")

    def send_as(self, sender: Signer, to: Address, data: bytes) -> dict[str, Any]:
        """A transaction of an account whose key the node need not have."""
        self.node.call("anvil_impersonateAccount", sender.address)
        self.fund(sender.address)
        limit = hex(1_000_000)
        transaction = {"from": sender.address, "to": to, "data": "0x" + data.hex(), "gas": limit}
        sent = self.node.call("eth_sendTransaction", transaction)
        return self.node.receipt(sent)


@dataclass
class Sender:
    """A wallet whose operations go to the entry point by a transaction of the node's account."""

    rig: Rig
    provider: WalletProvider
    owner: LocalSigner
    salt: int = 0
    version: str = "0.7"
    _count: int = 0

    def __post_init__(self) -> None:
        address = self.provider.address(self.owner.address, self.salt)
        assert address is not None
        self.address = address

    @property
    def entry_point(self) -> EntryPoint:
        return ENTRY_POINTS[self.version]

    def operation(
        self, *calls: TxCall, signer: Signer | None = None, grant: Grant | None = None, **other: Any
    ) -> UserOperation:
        """A signed operation with a nonce of its own; it makes the wallet if it is not there."""
        self._count += 1
        name = f"{self.address}:{self._count}"
        factory, factory_data = None, b""
        if not self.rig.node.has_code(self.address):
            factory, factory_data = self.provider.init(self.owner.address, self.salt)
        unsigned = UserOperation(
            sender=self.address,
            nonce=nonce_of(self.provider.nonce_key(name, grant)),
            call_data=self.provider.encode(calls, grant),
            factory=factory,
            factory_data=factory_data,
            call_gas_limit=200_000,
            verification_gas_limit=600_000,
            pre_verification_gas=50_000,
            max_fee_per_gas=2 * 10**9,
            max_priority_fee_per_gas=10**9,
        )
        return self.signed(replace(unsigned, **other), signer, grant)

    def signed(
        self, operation: UserOperation, signer: Signer | None = None, grant: Grant | None = None
    ) -> UserOperation:
        digest = operation.hash(self.entry_point, self.rig.chain_id)
        return replace(operation, signature=self.provider.sign(digest, signer or self.owner, grant))

    def run(self, *operations: UserOperation) -> list[Ran]:
        """All of them in one bundle. Raises Refused and sends nothing where one would fail it."""
        data = self.entry_point.handle_ops_data(operations, BENEFICIARY)
        self.preflight(data)
        receipt = self.rig.node.send(self.entry_point.address, data)
        logs = {
            log["topics"][1]: decode(["uint256", "bool", "uint256", "uint256"], _raw(log["data"]))
            for log in receipt["logs"]
            if log["topics"][0] == USER_OPERATION_EVENT
        }
        hashes = (item.hash(self.entry_point, self.rig.chain_id) for item in operations)
        events = [logs["0x" + digest.hex()] for digest in hashes]
        return [Ran(bool(event[1]), event[2], event[3], receipt) for event in events]

    def preflight(self, data: bytes) -> None:
        sender = self.rig.node.call("eth_accounts")[0]
        call = {"from": sender, "to": self.entry_point.address, "data": "0x" + data.hex()}
        answer = self.rig.node.answer("eth_call", call, "latest")
        if "error" in answer:
            raise Refused(_reason(_raw(answer["error"].get("data") or "0x")))


def _reason(data: bytes) -> str:
    if data[:4] != FAILED_OP:
        return "0x" + data.hex()
    reason: str = decode(["uint256", "string"], data[4:])[1]
    return reason


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])
