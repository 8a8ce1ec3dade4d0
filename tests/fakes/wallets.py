"""Chains in memory: wallets, grants, operations and tokens."""

from __future__ import annotations

from dataclasses import replace

from task_engine.errors import Conflict, InvalidRequest
from task_engine.evm.address import Address, keccak256
from task_engine.evm.create2 import create2_address
from task_engine.evm.signature import recover_signer
from task_engine.evm.tokens import TokenMetadata
from task_engine.model.grant import Grant, GrantStatus
from task_engine.model.json_value import JsonObject
from task_engine.model.operation import Operation, OperationCall
from task_engine.model.payment import Payment
from task_engine.model.wallet import Wallet

FACTORY = Address("0x9406Cc6185a346906296840746125a0E44976454")
CONTROLLER = Address("0x00000000000000000000000000000000000000C0")


class FakeFactories:
    """Implements Factories: any factory makes wallets of the same code."""

    def default(self, chain_id: int) -> str:
        return FACTORY

    def address(self, chain_id: int, factory: str, owner: str, salt: int) -> str:
        encoded = Address(owner).raw + salt.to_bytes(32, "big")
        return create2_address(Address(factory), keccak256(encoded), bytes(32))


class FakeGrants:
    """Implements Grants."""

    def __init__(self) -> None:
        self.rows: list[Grant] = []

    def of_wallet(self, owner: str, chain_id: int, wallet: str) -> list[Grant]:
        wanted = (owner, chain_id, wallet)
        found = [row for row in self.rows if (row.owner, row.chain_id, row.wallet) == wanted]
        return sorted(found, key=lambda grant: -grant.entity_id)

    def put(self, grant: Grant, supersedes: tuple[Grant, ...]) -> Grant:
        taken = {(row.wallet, row.chain_id, row.entity_id) for row in self.rows}
        if (grant.wallet, grant.chain_id, grant.entity_id) in taken:
            raise Conflict("taken", code="POLICIES_ENTITY_TAKEN")
        for each in supersedes:
            self.set_status(each, GrantStatus.REVOKED)
        self.rows.append(grant)
        return grant

    def set_status(self, grant: Grant, status: GrantStatus) -> Grant:
        self.rows.remove(grant)
        self.rows.append(replace(grant, status=status))
        return self.rows[-1]


class FakeDesk:
    """Implements GrantDesk; owners sign the text of a grant's terms."""

    def __init__(self) -> None:
        self.key = str(CONTROLLER)
        self.epochs: dict[str, int] = {}

    def controller(self) -> str:
        return self.key

    def epoch(self, wallet: Wallet) -> int:
        return self.epochs.get(wallet.address, 0)

    def typed_data(self, wallet: Wallet, grant: Grant) -> JsonObject:
        return {"primaryType": "Grant", "message": {"terms": terms(grant)}}

    def digest(self, wallet: Wallet, grant: Grant) -> str:
        return "0x" + keccak256(terms(grant).encode()).hex()

    def signed_by(self, wallet: Wallet, grant: Grant) -> str:
        return recover_signer(terms(grant).encode(), grant.signature)

    def revocation(self, wallet: Wallet, grant: Grant) -> tuple[str, str]:
        return wallet.address, f"0x{grant.entity_id:08x}"


def terms(grant: Grant) -> str:
    """All that the owner agrees to."""
    cap = grant.erc20_cap
    spent = (cap.token, cap.amount) if cap else None
    who = (grant.id, grant.chain_id, grant.wallet, grant.signer)
    return repr((*who, grant.valid_until, grant.epoch, grant.permissions, spent, grant.gas_cap))


class FakeOperations:
    """Implements Operations."""

    def __init__(self) -> None:
        self.rows: dict[str, Operation] = {}

    def get(self, operation_id: str) -> Operation | None:
        return self.rows.get(operation_id)

    def by_hash(self, owner: str, user_op_hash: str) -> Operation | None:
        for row in self.rows.values():
            if (row.owner, row.hash) == (owner, user_op_hash):
                return row
        return None

    def create(self, operation: Operation) -> Operation:
        return self.rows.setdefault(operation.id, operation)

    def save(self, operation: Operation) -> Operation:
        return self.renew(operation, operation)

    def renew(self, before: Operation, after: Operation) -> Operation:
        stored = self.rows[after.id]
        if stored.status.final or stored.hash != before.hash:
            return stored
        self.rows[after.id] = after
        return after


class FakeDelays:
    """Implements Delays."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def since(self, order_id: str, now_ms: int) -> int:
        return self.rows.setdefault(order_id, now_ms)


class FakeVaults:
    """Implements Vaults."""

    def __init__(self, operations: FakeOperations) -> None:
        self._operations = operations
        self.held: dict[tuple[str, str], int] = {}
        self.sponsored = False
        self.failure: Exception | None = None
        self.nonces: dict[str, int] = {}

    def holds(self, chain_id: int, wallet: str, token: str) -> int:
        if self.failure is not None:
            raise self.failure
        return self.held.get((wallet, token), 0)

    def pays_for_gas(self, chain_id: int) -> bool:
        return self.sponsored

    def nonce(self, chain_id: int, wallet: str) -> int:
        if self.failure is not None:
            raise self.failure
        return self.nonces.get(wallet, 0)

    def sent(self, name: str) -> Operation | None:
        return self._operations.get(name)

    def send(self, name: str, owner: str, payment: Payment) -> Operation:
        data = "0x" if not payment.token else f"0xa9059cbb{'00' * 32}{payment.amount:064x}"
        to = payment.token or payment.recipient
        call = OperationCall(to, 0 if payment.token else payment.amount, data)
        operation_hash = "0x" + keccak256(name.encode()).hex()
        return self._operations.create(
            Operation(name, owner, payment.chain_id, payment.wallet, operation_hash, {}, (call,), 1)
        )


class FakeTokens:
    """Implements Tokens."""

    def __init__(self) -> None:
        self.known: dict[str, TokenMetadata] = {}

    def lookup(self, chain_id: int, address: str) -> TokenMetadata:
        if chain_id == 5:
            raise InvalidRequest("chain 5 is not configured here", code="INVALID_REQUEST")
        lower = address.lower()
        unknown = TokenMetadata(False, lower, "UNKNOWN", "Unknown Token", 18, "rpc")
        return self.known.get(lower, unknown)
