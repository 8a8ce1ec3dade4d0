"""Session policies."""

from __future__ import annotations

from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.shapes import (
    ADDRESS,
    CHAIN_ID,
    DECIMAL,
    FLAG,
    INT64,
    MILLISECONDS,
    OBJECT,
    TEXT,
    Schema,
    closed,
    fields,
    ref,
    several,
    told,
    words,
)

_CHAIN = Parameter("chainId", CHAIN_ID, "Default: the chain that the token was made for.")
_PATH: dict[str, Schema] = {"address": told(ADDRESS, "A wallet of the caller's.")}
_BYTES32: Schema = {"type": "string", "pattern": "^0[xX][0-9a-fA-F]{64}$"}
_SELECTOR: Schema = {
    "type": "string",
    "pattern": "^0[xX][0-9a-fA-F]{8}$",
    "examples": ["0xa9059cbb"],
}
_SECONDS: Schema = {"type": "integer", "minimum": 60, "maximum": 315_360_000}
_ONE = {**_PATH, "policyId": told({"type": "string"}, "A policy of that wallet.")}
_ENTITY: Schema = {"type": "integer", "minimum": 1}
_WEI: Schema = {**DECIMAL, "examples": ["1000000"]}
_ALONE = (403, 404)
_CAN_NOT = (501, 503)
_POLICY: dict[str, Schema] = {
    "chainId": CHAIN_ID,
    "agentLabel": {"type": "string", "minLength": 1, "maxLength": 120},
    "allowedActions": several(ref("AllowedAction"), minItems=1, maxItems=64),
    "erc20SpendCap": ref("Erc20SpendCap"),
}
_GAS_CAP = told(
    _WEI,
    "Wei that all operations which nobody sponsors may cost in gas; default: the stage's, 0.05 of"
    " the chain's coin as it comes. 0: sponsored ones only.",
)
_WHY: dict[str, Schema] = {
    "justification": {"type": ["string", "null"], "maxLength": 500},
    "gasCap": _GAS_CAP,
}
_KEPT: dict[str, Schema] = {
    "id": _BYTES32,
    "runner": ADDRESS,
    "chainId": CHAIN_ID,
    "status": words(("pending", "active", "revoked")),
    "entityId": _ENTITY,
    "sessionSigner": ADDRESS,
    "agentLabel": TEXT,
    "validUntil": MILLISECONDS,
    "createdAt": MILLISECONDS,
}
_KEPT_OPTIONAL: dict[str, Schema] = {
    "justification": TEXT,
    "allowedActions": several(ref("AllowedAction")),
    "erc20SpendCap": ref("Erc20SpendCap"),
    "gasCap": _GAS_CAP,
    "onChainCleanup": ref("OnChainCleanup"),
}

POLICIES = Resource(
    tag="Policies",
    description="What the engine's key may do with a wallet: targets, methods, amounts, times.",
    operations={
        "POST /wallets/{address}/policies:prepare": Operation(
            "prepareSessionPolicy",
            "What the owner has to sign",
            {200: Success("Typed data (EIP-712) and its digest.", ref("PreparedPolicy"))},
            path=_PATH,
            body="PreparePolicyRequest",
            errors=(400, 413, *_ALONE, *_CAN_NOT),
            event="policies_prepare",
        ),
        "POST /wallets/{address}/policies:submit": Operation(
            "submitSessionPolicy",
            "Put a signed policy to use",
            {201: Success("Active from now on.", ref("SubmittedPolicy"))},
            "It takes the place of the wallet's earlier policies.",
            path=_PATH,
            body="SubmitPolicyRequest",
            errors=(400, 409, 413, *_ALONE, *_CAN_NOT),
            event="policies_submit",
        ),
        "GET /wallets/{address}/policies": Operation(
            "listSessionPolicies",
            "All policies of a wallet",
            {200: Success("Newest first.", ref("SessionPolicies"))},
            path=_PATH,
            parameters=(_CHAIN,),
            errors=(400, *_ALONE),
            event="policies_list",
        ),
        "GET /wallets/{address}/policies/{policyId}": Operation(
            "getSessionPolicy",
            "One policy",
            {200: Success("The policy.", ref("SessionPolicy"))},
            path=_ONE,
            parameters=(_CHAIN,),
            errors=(400, *_ALONE),
            event="policies_get",
        ),
        "DELETE /wallets/{address}/policies/{policyId}": Operation(
            "revokeSessionPolicy",
            "Stop using a policy",
            {200: Success("It is not used any more.", ref("RevokedPolicy"))},
            path=_ONE,
            parameters=(_CHAIN,),
            errors=(400, 409, *_ALONE),
            event="policies_revoke",
        ),
    },
    schemas={
        "AllowedAction": closed(
            fields(
                {
                    "target": ADDRESS,
                    "selectors": several(
                        told(_SELECTOR, "0x00000000 is a transfer without data."),
                        minItems=1,
                        maxItems=64,
                    ),
                },
                {"maxValue": told(_WEI, "Wei that one call may carry; default 0.")},
            )
        ),
        "Erc20SpendCap": closed(
            fields({"token": ADDRESS, "amount": told(_WEI, "Units of the token in all.")})
        ),
        "PreparePolicyRequest": closed(
            fields(
                {
                    **_POLICY,
                    "expiresInSeconds": _SECONDS,
                },
                _WHY,
            )
        ),
        "SubmitPolicyRequest": closed(
            fields(
                {
                    **_POLICY,
                    "policyId": _BYTES32,
                    "entityId": _ENTITY,
                    "deadline": told(INT64, "As it was prepared, in seconds."),
                    "validUntil": told(INT64, "As it was prepared, in milliseconds."),
                    "signature": {"type": "string", "pattern": "^0[xX][0-9a-fA-F]{130}$"},
                },
                _WHY,
            )
        ),
        "PreparedPolicy": fields(
            {
                "policyId": _BYTES32,
                "chainId": CHAIN_ID,
                "entityId": _ENTITY,
                "sessionSigner": told(ADDRESS, "The engine's key."),
                "deadline": told(INT64, "Until when to sign, in seconds since the epoch."),
                "validUntil": MILLISECONDS,
                "gasCap": _GAS_CAP,
                "digest": _BYTES32,
                "typedData": OBJECT,
            }
        ),
        "SessionPolicy": fields(_KEPT, _KEPT_OPTIONAL),
        "SubmittedPolicy": fields(
            {**_KEPT, "supersededPolicyIds": several(_BYTES32)}, _KEPT_OPTIONAL
        ),
        "SessionPolicies": fields({"items": several(ref("SessionPolicy"))}),
        "RevokedPolicy": fields(
            {"status": words(("deleted", "revoked")), "onChainCleanupRequired": FLAG},
            {"onChainCleanup": ref("OnChainCleanup")},
        ),
        "OnChainCleanup": fields(
            {"entityId": _ENTITY, "target": ADDRESS, "callData": TEXT, "chainId": CHAIN_ID},
            description="The call with which the owner ends the policy on chain.",
        ),
    },
)
