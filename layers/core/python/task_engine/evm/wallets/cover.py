"""Whether a grant covers what is about to be sent: the reason in words, before any gas is spent."""

from __future__ import annotations

from collections.abc import Iterable

from task_engine.errors import NodeError
from task_engine.evm.entry_point import ENTRY_POINTS
from task_engine.evm.wallets.provider import TxCall
from task_engine.model.grant import NATIVE_TRANSFER, Grant, Permission

# How the wallets' contracts count what a call moves: where the amount ends in its data.
_AMOUNT_ENDS = {
    "0xa9059cbb": 68,  # transfer(address,uint256)
    "0x095ea7b3": 68,  # approve(address,uint256)
    "0x39509351": 68,  # increaseAllowance(address,uint256)
    "0x23b872dd": 100,  # transferFrom(address,address,uint256)
}
_ENTRY_POINTS = {entry_point.address for entry_point in ENTRY_POINTS.values()}


def require_covered(grant: Grant, calls: Iterable[TxCall], now_seconds: int) -> None:
    """Raises NodeError with a code SESSION_POLICY_… for the first call that a grant forbids.

    What earlier operations moved is known on chain only, so a cap is checked for these calls alone.
    """
    if now_seconds >= grant.valid_until:
        raise NodeError(f"the session policy {grant.id} has expired", code="SESSION_POLICY_EXPIRED")
    if not grant.usable_at(now_seconds):
        raise NodeError(
            f"the session policy {grant.id} is not in force", code="SESSION_POLICY_NOT_ACTIVE"
        )
    moved = 0
    for call in calls:
        _require_permitted(grant, call)
        moved += _moved(grant, call)
    if grant.erc20_cap is not None and moved > grant.erc20_cap.amount:
        raise NodeError(
            f"{moved} units of {grant.erc20_cap.token} are more than the session policy's cap"
            f" of {grant.erc20_cap.amount}",
            code="SESSION_POLICY_CAP_EXCEEDED",
        )


def _require_permitted(grant: Grant, call: TxCall) -> None:
    if call.to.lower() == grant.wallet.lower() or call.to in _ENTRY_POINTS:
        raise _not_allowed(
            "TARGET", "a session policy never covers the wallet itself or the entry point"
        )
    here = [item for item in grant.permissions if item.target.lower() == call.to.lower()]
    if not here:
        raise _not_allowed("TARGET", f"the session policy does not cover {call.to}")
    selector = _selector(call)
    fitting: list[Permission] = [item for item in here if item.selector == selector]
    if not fitting:
        what = "transfers" if selector == NATIVE_TRANSFER else f"the function {selector}"
        raise _not_allowed("SELECTOR", f"the session policy does not cover {what} of {call.to}")
    limit = max(item.max_value for item in fitting)
    if call.value > limit:
        raise _not_allowed(
            "VALUE", f"{call.value} wei to {call.to} are more than the session policy's {limit}"
        )


def _moved(grant: Grant, call: TxCall) -> int:
    cap = grant.erc20_cap
    if cap is None or cap.token.lower() != call.to.lower():
        return 0
    end = _AMOUNT_ENDS.get(_selector(call), 0)
    if end == 0 or len(call.data) < end:
        raise _not_allowed(
            "SELECTOR", f"{_selector(call)} is no function whose amount the cap of {call.to} counts"
        )
    return int.from_bytes(call.data[end - 32 : end], "big")


def _selector(call: TxCall) -> str:
    """Data of one to three bytes, or a function whose selector is zero, is never covered."""
    selector = "0x" + call.data[:4].hex()
    if not call.data:
        return NATIVE_TRANSFER
    if len(call.data) < 4 or selector == NATIVE_TRANSFER:
        raise _not_allowed("SELECTOR", f"data without a selector can't be sent to {call.to}")
    return selector


def _not_allowed(what: str, message: str) -> NodeError:
    return NodeError(message, code=f"SESSION_POLICY_{what}_NOT_ALLOWED")
