"""A paymaster contract that pays for whatever our key has signed.

VerifyingPaymaster of @account-abstraction/contracts 0.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from task_engine.clock import Clock
from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.signature import personal_message_hash
from task_engine.evm.signer import Signer
from task_engine.evm.user_operation import UserOperation

_VERIFICATION_GAS = 60_000
# It does nothing after the call.
_POST_OP_GAS = 0
_VALID_SECONDS = 3600
# Blocks may be somewhat behind the clock.
_EARLIER_SECONDS = 300
# Well-formed, of no key that anybody uses: its signer is whoever comes out.
_STUB_SIGNATURE = bytes([1]) * 32 + bytes([1]) * 32 + b"\x1b"

Allows = Callable[[UserOperation], None]


class VerifyingPaymaster:
    """Implements Paymaster for one contract on one chain; sponsorships last an hour.

    `allows` may raise SponsorRefused, e.g. for an owner without credit.
    """

    def __init__(
        self,
        address: Address,
        chain_id: int,
        signer: Signer,
        clock: Clock,
        allows: Allows | None = None,
    ) -> None:
        self._address = address
        self._chain_id = chain_id
        self._signer = signer
        self._clock = clock
        self._allows = allows

    def stub(self, op: UserOperation) -> UserOperation:
        """As Paymaster says."""
        if self._allows is not None:
            self._allows(op)
        return self._with(op, self._times(), _STUB_SIGNATURE)

    def sponsor(self, op: UserOperation) -> UserOperation:
        """As Paymaster says; one signature."""
        times = self._times()
        prepared = self.stub(op)
        return self._with(op, times, self._signer.sign(self._digest(prepared, times)))

    def _with(self, op: UserOperation, times: tuple[int, int], signature: bytes) -> UserOperation:
        until, after = times
        return replace(
            op,
            paymaster=self._address,
            paymaster_verification_gas_limit=_VERIFICATION_GAS,
            paymaster_post_op_gas_limit=_POST_OP_GAS,
            paymaster_data=encoding.number(until) + encoding.number(after) + signature,
        )

    def _times(self) -> tuple[int, int]:
        """validUntil and validAfter in seconds."""
        now = self._clock.now_ms() // 1000
        return now + _VALID_SECONDS, now - _EARLIER_SECONDS

    def _digest(self, op: UserOperation, times: tuple[int, int]) -> bytes:
        """What `getHash` answers, signed as a personal message (EIP-191)."""
        until, after = times
        limits = op.paymaster_and_data[20:52]
        fields = (
            encoding.address(op.sender)
            + encoding.number(op.nonce)
            + keccak256(op.init_code)
            + keccak256(op.call_data)
            + op.account_gas_limits
            + limits
            + encoding.number(op.pre_verification_gas)
            + op.gas_fees
            + encoding.number(self._chain_id)
            + encoding.address(self._address)
            + encoding.number(until)
            + encoding.number(after)
        )
        return personal_message_hash(keccak256(fields))
