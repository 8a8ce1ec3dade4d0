"""Smart wallets."""

from __future__ import annotations

from task_engine.api.openapi.executions import IDEMPOTENCY_KEY
from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.shapes import (
    ADDRESS,
    CHAIN_ID,
    COUNT,
    DECIMAL,
    FLAG,
    MILLISECONDS,
    TEXT,
    Schema,
    closed,
    fields,
    ref,
    several,
    told,
    words,
)

HASH: Schema = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
_CHAIN = Parameter("chainId", CHAIN_ID, "Default: the chain that the token was made for.")
_ADDRESS = told(ADDRESS, "A wallet of the caller's.")
_COUNTS = ("total", "enabled", "completed", "failed", "disabled")
_SALT = {
    "type": ["string", "integer"],
    "pattern": "^([0-9]{1,78}|0[xX][0-9a-fA-F]{1,64})$",
    "minimum": 0,
    "description": "Decimal, or hexadecimal with 0x.",
    "examples": ["1"],
}

WALLETS = Resource(
    tag="Wallets",
    description="Smart wallets of the caller, derived from owner and salt.",
    operations={
        "GET /wallets": Operation(
            "listWallets",
            "All wallets of a chain, hidden ones too",
            {
                200: Success(
                    "By salt as text; the wallet of salt 0 is always there.", ref("Wallets")
                )
            },
            parameters=(_CHAIN,),
            errors=(400,),
            event="wallets_list",
        ),
        "POST /wallets": Operation(
            "createWallet",
            "The wallet of a salt",
            {
                200: Success("It was known.", ref("Wallet")),
                201: Success("It is recorded now.", ref("Wallet")),
            },
            body="CreateWalletRequest",
            errors=(400, 413),
            event="wallets_create",
        ),
        "GET /wallets/{address}:getNonce": Operation(
            "getWalletNonce",
            "The nonce of the wallet's next operation",
            {200: Success("By its EntryPoint, key 0.", ref("WalletNonce"))},
            path={"address": _ADDRESS},
            parameters=(_CHAIN,),
            errors=(400, 404),
            event="wallets_nonce",
        ),
        "POST /wallets/{address}:withdraw": Operation(
            "withdraw",
            "Send coins or tokens out of a wallet",
            {200: Success("Sent; `status` says how far it came.", ref("WithdrawResponse"))},
            "With an Idempotency-Key, a repeat is the same withdrawal.",
            path={"address": _ADDRESS},
            parameters=(IDEMPOTENCY_KEY,),
            body="WithdrawRequest",
            errors=(400, 403, 404, 413),
            event="wallets_withdraw",
        ),
        "GET /userops/{userOpHash}": Operation(
            "getUserOperation",
            "What became of a user operation",
            {200: Success("Its status.", ref("UserOperationStatus"))},
            path={"userOpHash": told({"type": "string"}, "32 bytes as 0x-hexadecimal.")},
            parameters=(_CHAIN,),
            errors=(404,),
            event="userops_get",
        ),
        "GET /tokens/{address}": Operation(
            "getToken",
            "A token's name, symbol and decimals",
            {200: Success("`found` is false when nothing there is a token.", ref("Token"))},
            path={"address": told(ADDRESS, "The token's contract.")},
            parameters=(_CHAIN,),
            errors=(400, 403),
            event="tokens_get",
        ),
        "PATCH /wallets/{address}": Operation(
            "updateWallet",
            "Hide a wallet, or show it again",
            {200: Success("The wallet.", ref("Wallet"))},
            path={"address": _ADDRESS},
            parameters=(_CHAIN,),
            body="UpdateWalletRequest",
            errors=(400, 404, 413),
            event="wallets_hide",
        ),
    },
    schemas={
        "Wallet": fields(
            {"address": ADDRESS, "salt": DECIMAL},
            {
                "factoryAddress": ADDRESS,
                "isHidden": FLAG,
                **{f"{word}WorkflowCount": COUNT for word in _COUNTS},
            },
            "Counts are told on create and update only.",
        ),
        "Wallets": fields({"data": several(ref("Wallet"))}),
        "CreateWalletRequest": closed(
            fields(
                {"salt": _SALT},
                {
                    "factoryAddress": {
                        **ADDRESS,
                        "type": ["string", "null"],
                        "description": "Default: the deployment's.",
                    },
                    "chainId": {
                        **CHAIN_ID,
                        "type": ["integer", "null"],
                        "description": "Default: the chain that the token was made for.",
                    },
                },
            )
        ),
        "WalletNonce": fields({"nonce": DECIMAL}),
        "WithdrawRequest": closed(
            fields(
                {
                    "recipientAddress": ADDRESS,
                    "amount": {
                        "type": ["string", "integer"],
                        "pattern": "^([0-9]{1,78}|[mM][aA][xX])$",
                        "minimum": 1,
                        "description": "In the smallest unit, or max.",
                        "examples": ["1000000000000000"],
                    },
                    "token": {
                        "type": "string",
                        "pattern": "^([eE][tT][hH]|0[xX][0-9a-fA-F]{40})$",
                        "description": "ETH, or the token's address.",
                        "examples": ["ETH"],
                    },
                },
                {"chainId": {**CHAIN_ID, "type": ["integer", "null"]}},
            )
        ),
        "WithdrawResponse": fields(
            {"status": words(("pending", "confirmed", "failed"))},
            {
                "message": TEXT,
                "userOpHash": HASH,
                "transactionHash": HASH,
                "submittedAt": MILLISECONDS,
                "smartWalletAddress": ADDRESS,
                "recipientAddress": ADDRESS,
                "amount": DECIMAL,
                "token": TEXT,
            },
        ),
        "UserOperationStatus": fields(
            {
                "userOpHash": HASH,
                "executionStatus": words(("pending", "confirmed", "failed")),
            },
            {
                "sender": ADDRESS,
                "transactionHash": HASH,
                "blockNumber": COUNT,
                "success": FLAG,
                "error": TEXT,
                "calls": several(
                    fields({"to": ADDRESS, "value": DECIMAL, "data": TEXT}, {"selector": TEXT})
                ),
            },
        ),
        "Token": fields(
            {"found": FLAG},
            {
                "address": ADDRESS,
                "chainId": CHAIN_ID,
                "name": TEXT,
                "symbol": TEXT,
                "decimals": COUNT,
                "source": words(("whitelist", "rpc", "cache")),
            },
        ),
        "UpdateWalletRequest": closed(fields({"isHidden": FLAG})),
    },
)
