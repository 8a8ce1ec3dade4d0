"""The one place that turns what EntryPoint and bundlers object to into our errors.

The AA codes are EntryPoint's: https://docs.erc4337.io/core-standards/entry-point-errors.html
"""

from __future__ import annotations

import re

from task_engine.errors import NodeError
from task_engine.evm.failures import RpcError

# keccak256("FailedOp(uint256,string)") and of FailedOpWithRevert(uint256,string,bytes).
_FAILED_OP = "220266b6"
_FAILED_OP_WITH_REVERT = "65c8fd4d"
_AA = re.compile(r"\bAA\d\d\b")
# As Rundler words it: what is required (0.4), then what it is.
_EFFICIENCY = re.compile(r"efficiency.*?actual:?\s*(\d*\.?\d+)", re.IGNORECASE | re.DOTALL)
_LONGEST_TEXT = 200

_WALLET = "SMART_WALLET_RPC_ERROR"
_DEPLOYMENT = "SMART_WALLET_DEPLOYMENT_ERROR"
_BALANCE = "INSUFFICIENT_BALANCE"
_CREDIT = "INSUFFICIENT_CREDIT"

NONCE_USED = "AA25"
EXPIRED = "AA22"
# Text, code and whether an operation made anew may pass.
_MEANINGS: dict[str, tuple[str, str, bool]] = {
    "AA10": ("the wallet is deployed already", _DEPLOYMENT, True),
    "AA13": ("the wallet's factory failed or ran out of gas", _DEPLOYMENT, False),
    "AA14": ("the wallet's factory made another address", _DEPLOYMENT, False),
    "AA15": ("the wallet's factory deployed nothing", _DEPLOYMENT, False),
    "AA20": ("the wallet is not deployed", "SMART_WALLET_NOT_FOUND", False),
    "AA21": ("the wallet has not enough of the chain's currency for gas", _BALANCE, False),
    EXPIRED: ("the permission to act for the wallet has expired or is not due", _WALLET, False),
    "AA23": ("the wallet's validation failed", _WALLET, False),
    "AA24": ("the wallet refuses the signature or what it permits", _WALLET, False),
    NONCE_USED: ("the operation's nonce is used already", _WALLET, True),
    "AA26": ("the wallet's validation needs more gas than its limit", _WALLET, True),
    "AA30": ("the paymaster is not deployed", _CREDIT, False),
    "AA31": ("the paymaster's deposit is too low", _CREDIT, False),
    "AA32": ("the sponsorship has expired or is not due", _CREDIT, True),
    "AA33": ("the paymaster's validation failed", _CREDIT, False),
    "AA34": ("the paymaster refuses its signature", _CREDIT, False),
    "AA36": ("the paymaster's validation needs more gas than its limit", _CREDIT, True),
    "AA40": ("the validation needs more gas than its limit", _WALLET, True),
    "AA41": ("too little gas was left for the validation", _WALLET, True),
    "AA51": ("the gas cost more than was set aside", _BALANCE, True),
    "AA95": ("the transaction ran out of gas", _WALLET, True),
}
_OTHERWISE = ("the operation was refused", _WALLET, False)


class OperationRefused(NodeError):
    """The operation would not be carried out: nothing was sent.

    `aa` is EntryPoint's code ("" if the refusal had none); `data` is the revert data of what
    refused inside it, if known.
    """

    code = _WALLET

    def __init__(self, text: str, data: bytes = b"") -> None:
        found = _AA.search(text)
        self.aa = found.group() if found else ""
        self.data = data
        meaning, code, may_retry = _MEANINGS.get(self.aa, _OTHERWISE)
        said = _first_line(text)
        super().__init__(f"{meaning} ({said})" if said else meaning, code=code, retryable=may_retry)


class VerificationLimitTooHigh(OperationRefused):
    """The bundler wants the verification's gas limit nearer to what is used; `used` is the part
    that is (0 to 1)."""

    def __init__(self, text: str, used: float) -> None:
        super().__init__(text)
        self.used = used


class CallWouldRevert(NodeError):
    """What the wallet is to do reverts on the chain's present state: nothing was sent; `data` is
    the revert data, for whoever knows the contract's errors."""

    code = _WALLET

    def __init__(self, data: bytes) -> None:
        reason = _error_text(data)
        super().__init__("the call would revert" + (f": {reason}" if reason else ""))
        self.data = data


class BundlerUnavailable(NodeError):
    """The bundler service does not answer for now."""

    code = _WALLET
    retryable = True

    def __init__(self) -> None:
        super().__init__("the bundler service is unavailable", retryable=True)


class SenderUnfunded(NodeError):
    """The deployment's own account, which pays for transactions in advance, has too little."""

    code = _WALLET

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


def preflight_failure(error: RpcError) -> NodeError:
    """For a failed eth_call of handleOps: OperationRefused when it reverted, else `error`."""
    data = _bytes_of(error.data)
    failed = _failed_op(data)
    if failed is not None:
        return OperationRefused(*failed)
    if error.reverted or _AA.search(error.message):
        return OperationRefused(error.message, data)
    return error


def bundler_failure(error: RpcError) -> NodeError:
    """For a bundler's error: OperationRefused, CallWouldRevert or BundlerUnavailable."""
    if error.may_retry:
        return BundlerUnavailable()
    data = _bytes_of(error.data)
    failed = _failed_op(data)
    if failed is not None:
        return OperationRefused(*failed)
    inefficient = _EFFICIENCY.search(error.message)
    if inefficient is not None:
        return VerificationLimitTooHigh(error.message, float(inefficient.group(1)))
    # -32521: https://eips.ethereum.org/EIPS/eip-7769#error-codes
    if error.rpc_code == -32521 and not _AA.search(error.message):
        return CallWouldRevert(data)
    return OperationRefused(error.message, data)


def _failed_op(data: bytes) -> tuple[str, bytes] | None:
    """Text and inner revert data of EntryPoint's two errors."""
    selector, body = data[:4].hex(), data[4:]
    if selector == _FAILED_OP:
        return _text(body, 1), b""
    if selector == _FAILED_OP_WITH_REVERT:
        return _text(body, 1), _dynamic(body, 2)
    return None


def _error_text(data: bytes) -> str:
    """Of `Error(string)`, which every compiler makes; "" for anything else."""
    return _first_line(_text(data[4:], 0)) if data[:4].hex() == "08c379a0" else ""


def _text(body: bytes, place: int) -> str:
    return _dynamic(body, place).decode("utf-8", "replace")


def _dynamic(body: bytes, place: int) -> bytes:
    """The bytes or string argument number `place`; short data gives what there is."""
    start = int.from_bytes(body[32 * place : 32 * place + 32], "big")
    length = int.from_bytes(body[start : start + 32], "big")
    return body[start + 32 : start + 32 + length]


def _bytes_of(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:_LONGEST_TEXT] if lines else ""
