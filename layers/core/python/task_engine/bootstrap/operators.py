"""Wiring of what knows operators."""

from __future__ import annotations

from functools import cache

from task_engine.aws.operator_repository import OperatorRepository
from task_engine.bootstrap.core import client, dynamo, settings
from task_engine.services.operator_rules import OperatorRules, operator_rules


@cache
def operators() -> OperatorRepository:
    """Registered operators."""
    return OperatorRepository(dynamo(), settings())


@cache
def rules() -> OperatorRules:
    """Whom this deployment listens to."""
    chosen = settings()
    return operator_rules(
        chosen.names.get("OPERATORS", ""),
        own_address,
        quorum=chosen.limits.quorum,
        per_minute=chosen.limits.operator_notices_per_minute,
    )


@cache
def own_address() -> str:
    """The address of the deployment's own operator, "" without one; KMS is asked once a process."""
    key_id = settings().names.get("OPERATOR_KEY", "")
    if not key_id:
        return ""
    from task_engine.aws.kms_keys import KmsKeys  # noqa: PLC0415
    from task_engine.evm.signer import KmsSigner  # noqa: PLC0415 - loads the curve's arithmetic

    return str(KmsSigner(KmsKeys(client("kms")), key_id).address)
