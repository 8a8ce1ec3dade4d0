"""Withdrawals on the wire."""

from __future__ import annotations

import re

from task_engine.api.http import Request
from task_engine.api.request_body import Fields, json_object
from task_engine.model.json_value import JsonValue
from task_engine.services.withdrawals import MAX, NATIVE, Withdrawal, WithdrawRequest

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_AMOUNT = re.compile(r"[0-9]{1,78}")


def withdraw_request(request: Request) -> WithdrawRequest:
    """A WithdrawRequest; raises InvalidRequest with every problem."""
    fields = Fields(json_object(request.body))
    recipient = fields.text("recipientAddress", required=True)
    if recipient and _ADDRESS.fullmatch(recipient) is None:
        fields.refuse("recipientAddress", "must be an address", "WITHDRAW_BAD_RECIPIENT")
    elif recipient and int(recipient, 16) == 0:
        fields.refuse("recipientAddress", "is the zero address", "WITHDRAW_BAD_RECIPIENT")
    amount = fields.number_text("amount", required=True)
    if amount and not _is_amount(amount):
        text = "must be the smallest unit as a decimal text above zero, or max"
        fields.refuse("amount", text, "WITHDRAW_BAD_AMOUNT")
    token = fields.text("token", required=True)
    if token and token.upper() != NATIVE and _ADDRESS.fullmatch(token) is None:
        fields.refuse("token", f"must be {NATIVE} or a token's address", "WITHDRAW_BAD_TOKEN")
    chain_id = fields.integer("chainId", least=1) or request.principal.chain_id
    fields.finish()
    return WithdrawRequest(
        chain_id=chain_id,
        recipient=_checked(recipient),
        token=NATIVE if token.upper() == NATIVE else _checked(token),
        amount=amount,
        key=request.headers.get("idempotency-key", ""),
    )


def withdrawal_json(sent: Withdrawal) -> dict[str, JsonValue]:
    """A WithdrawResponse."""
    operation, asked = sent.operation, sent.asked
    found: dict[str, JsonValue] = {
        "status": operation.status.word,
        "userOpHash": operation.hash,
        "submittedAt": operation.created_at,
        "smartWalletAddress": operation.wallet,
        "recipientAddress": asked.recipient,
        "amount": str(sent.amount),
        "token": asked.token,
    }
    receipt = operation.receipt
    if isinstance(receipt, dict) and receipt.get("transactionHash"):
        found["transactionHash"] = receipt["transactionHash"]
    if operation.error:
        found["message"] = operation.error
    return found


def _is_amount(text: str) -> bool:
    if text.lower() == MAX:
        return True
    return _AMOUNT.fullmatch(text) is not None and 0 < int(text) < 2**256


def _checked(text: str) -> str:
    from task_engine.evm.address import Address  # noqa: PLC0415 - loads Keccak

    return Address(text)
