"""Operations sent by an account of our own: one transaction each, of handleOps.

How often a process dies and how often this repeats does not matter: EntryPoint takes an
operation's nonce once. What is saved before sending keeps money from being spent on more
transactions than one.
"""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.evm.entry_point import EntryPoint
from task_engine.evm.eth_call import RpcRequest, quantity
from task_engine.evm.gas import Fees, market_fees
from task_engine.evm.ports import RpcPort
from task_engine.evm.senders.broadcast import Verdict, broadcast
from task_engine.evm.senders.bundle import Bundles, Place
from task_engine.evm.senders.chain_search import ChainSearch, by_hash
from task_engine.evm.senders.failures import OperationRefused
from task_engine.evm.senders.ports import KeyLease, Outcome, Save
from task_engine.evm.senders.record import Attempt, SentRecord
from task_engine.evm.signer import Signer
from task_engine.evm.user_operation import UserOperation
from task_engine.model.operation import OperationStatus

_LEASE_SECONDS = 30
# How often one call tries anew when a nonce turns out to be taken.
_ROUNDS = 3
# Where an operation is looked for of whose sending nothing was kept.
_LOOK_BACK = 1000


@dataclass(frozen=True, slots=True)
class SendingRules:
    """`stuck_blocks` without inclusion make a transaction be replaced by one that pays more, until
    there are `most_attempts` of them."""

    confirmations: int = 0
    stuck_blocks: int = 3
    most_attempts: int = 16


@dataclass(frozen=True, slots=True)
class _Account:
    """Our account as a node sees it: the next nonce on chain and with what waits in its pool, and
    which of the attempts the node knows."""

    head: int
    mined: int
    pending: int
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Step:
    """An outcome; `taken` when another transaction turned out to have the nonce."""

    outcome: Outcome
    taken: bool = False


class SelfBundler:
    """Implements Sender for one chain and key."""

    def __init__(
        self,
        rpc: RpcPort,
        entry_point: EntryPoint,
        signer: Signer,
        lease: KeyLease,
        rules: SendingRules | None = None,
    ) -> None:
        self._rpc = rpc
        self._entry_point = entry_point
        self._signer = signer
        self._lease = lease
        self._rules = rules or SendingRules()
        self._bundles = Bundles(rpc, entry_point, signer)
        self._search = ChainSearch(rpc, entry_point, self._rules.confirmations)

    def look(self, op: UserOperation, record: SentRecord) -> Outcome:
        """As Sender says; one round trip, no lease. Raises RpcError."""
        seen = self._search.see(op, record)
        return self._search.outcome(seen, record) or Outcome(OperationStatus.SENT, record)

    def send(self, op: UserOperation, record: SentRecord | None, save: Save) -> Outcome:
        """As Sender says. Raises SenderBusy, OperationRefused, SenderUnfunded or RpcError."""
        name = f"sender#{self._rpc.chain_id}#{self._signer.address}"
        with self._lease.hold(name, _LEASE_SECONDS):
            step = self._advance(op, record, save)
            for _ in range(_ROUNDS - 1):
                if not step.taken:
                    break
                step = self._advance(op, step.outcome.record, save)
            return step.outcome

    def _advance(self, op: UserOperation, record: SentRecord | None, save: Save) -> _Step:
        if record is None:
            return self._first(op, save)
        outcome, account = self._observe(op, record)
        if outcome is not None:
            return _Step(outcome)
        if not record.attempts:
            return self._again(op, record, account, save)
        newest = record.newest
        stuck = account.head - newest.block >= self._rules.stuck_blocks
        waits = any(a.nonce == newest.nonce and a.hash in account.known for a in record.attempts)
        if account.mined > newest.nonce:
            if not self._passed_over(op, newest, account.head - 1):
                return _Step(Outcome(OperationStatus.SENT, record, reason="a block is awaited"))
            return self._again(op, record, account, save)
        # Another transaction waits with the nonce; or there is a hole: what should come before is
        # in no pool. Neither will do for long, and nothing says that it has to end.
        if stuck and not waits and account.pending != newest.nonce:
            return self._again(op, record, account, save)
        # While an earlier transaction of the account is not mined, paying more is no help.
        if stuck and account.mined == newest.nonce:
            return self._replace(op, record, account, save)
        if newest.hash in account.known:
            return _Step(Outcome(OperationStatus.SENT, record))
        return self._hand_over(record)

    def _observe(self, op: UserOperation, record: SentRecord) -> tuple[Outcome | None, _Account]:
        """One round trip: the chain's verdict, if there is one, and the account."""
        own = self._signer.address
        extra: list[RpcRequest] = [
            ("eth_getTransactionCount", [own, "latest"]),
            ("eth_getTransactionCount", [own, "pending"]),
            *by_hash("eth_getTransactionByHash", record),
        ]
        seen = self._search.see(op, record, extra)
        mined, pending, *found = seen.extra
        pairs = zip(record.hashes, found, strict=True)
        known = frozenset(tx_hash for tx_hash, transaction in pairs if transaction is not None)
        account = _Account(seen.head, quantity(mined), quantity(pending), known)
        return self._search.outcome(seen, record), account

    def _passed_over(self, op: UserOperation, newest: Attempt, block: int) -> bool:
        """Whether the nonce was used up to that block by a transaction without the operation.

        Nodes that lag behind each other, or are about to store a block, tell the newest count
        before its logs: one block below, both stand still.
        """
        own, tag = self._signer.address, hex(max(0, block))
        count, nonce = self._rpc.batch(
            [("eth_getTransactionCount", [own, tag]), self._search.nonce_call(op, tag)]
        )
        return quantity(count) > newest.nonce and quantity(nonce) <= op.nonce

    def _first(self, op: UserOperation, save: Save) -> _Step:
        op_hash = "0x" + op.hash(self._entry_point, self._rpc.chain_id).hex()
        try:
            place = self._bundles.place(op)
        except OperationRefused as refused:
            if not self._search.nonce_used(op):
                raise
            return _Step(self._former(op, op_hash, refused.message))
        return self._save_and_send(op, SentRecord.starting(op_hash, place.block), place, save)

    def _former(self, op: UserOperation, op_hash: str, refusal: str) -> Outcome:
        """Of an operation whose nonce is used although nothing was kept of its sending."""
        head = quantity(self._rpc.call("eth_blockNumber"))
        record = SentRecord(op_hash, max(0, head - _LOOK_BACK))
        found = self._search.outcome(self._search.see(op, record), record)
        return found or Outcome(OperationStatus.SENT, record, reason=refusal)

    def _again(self, op: UserOperation, record: SentRecord, account: _Account, save: Save) -> _Step:
        """With the account's next nonce, if the operation is still valid."""
        try:
            place = self._bundles.place(op)
        except OperationRefused as refused:
            over = all(attempt.nonce < account.mined for attempt in record.attempts)
            # Where the nonce is used there is an event, which the node does not show yet.
            dropped = over and not self._search.nonce_used(op)
            status = OperationStatus.DROPPED if dropped else OperationStatus.SENT
            error = refused if dropped else None
            return _Step(Outcome(status, record, reason=refused.message, error=error))
        return self._save_and_send(op, record, place, save)

    def _replace(
        self, op: UserOperation, record: SentRecord, account: _Account, save: Save
    ) -> _Step:
        """The same nonce again, for more."""
        newest = record.newest
        if len(record.attempts) >= self._rules.most_attempts:
            return self._hand_over(record)
        fees = Fees(newest.max_fee, newest.priority_fee).raised(market_fees(self._rpc))
        place = Place(newest.nonce, fees, account.head)
        return self._save_and_send(op, record, place, save)

    def _save_and_send(
        self, op: UserOperation, record: SentRecord, place: Place, save: Save
    ) -> _Step:
        attempt: Attempt = self._bundles.attempt(op, place)
        record = record.with_attempt(attempt)
        save(record)
        return self._hand_over(record)

    def _hand_over(self, record: SentRecord) -> _Step:
        answer = broadcast(self._rpc, record.newest.raw)
        if answer.verdict is Verdict.ACCEPTED:
            return _Step(Outcome(OperationStatus.SENT, record))
        before = len(record.attempts) > 1
        status = OperationStatus.SENT if before else OperationStatus.PREPARED
        outcome = Outcome(status, record, reason=answer.reason)
        return _Step(outcome, taken=answer.verdict is Verdict.TAKEN)
