"""Requests signed by operators: whose key it was, and whether it may."""

from __future__ import annotations

from task_engine.api.principal import Principal, SignedRequest
from task_engine.clock import Clock
from task_engine.errors import Forbidden, Unauthenticated
from task_engine.evm.signature import recover_signer
from task_engine.operator.signed_request import (
    ADDRESS_HEADER,
    MAX_AGE_MS,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    request_text,
)
from task_engine.services.operator_rules import OperatorRules


class OperatorGate:
    """Implements SignedRequests."""

    def __init__(self, rules: OperatorRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def admit(self, request: SignedRequest) -> Principal:
        """The operator; raises Unauthenticated when the signature is missing, too old or another
        one's, Forbidden, OPERATOR_NOT_ALLOWED, when it is nobody that the deployment listens to."""
        names = (ADDRESS_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
        address, stamp, signature = (request.headers.get(name.lower(), "") for name in names)
        if not (address and stamp and signature):
            text = f"send {', '.join(names)}: this route is for operators"
            raise Unauthenticated(text, code="OPERATOR_SIGNATURE_REQUIRED")
        signer = recover_signer(self._text(request, stamp), signature)
        if signer.lower() != address.lower():
            raise Unauthenticated(
                "the signature is not by X-Operator-Address", code="AUTH_INVALID_SIGNATURE"
            )
        if not self._rules.allows(signer):
            raise Forbidden(
                "this deployment does not listen to this operator", code="OPERATOR_NOT_ALLOWED"
            )
        return Principal("", 0, operator=str(signer))

    def _text(self, request: SignedRequest, stamp: str) -> bytes:
        timestamp = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 16 else 0
        if abs(self._clock.now_ms() - timestamp) > MAX_AGE_MS:
            seconds = MAX_AGE_MS // 1000
            text = f"{TIMESTAMP_HEADER} must be ms since the epoch, at most {seconds} s from now"
            raise Unauthenticated(text, code="OPERATOR_TIMESTAMP_STALE")
        return request_text(request.method, request.path, request.query, timestamp, request.body)
