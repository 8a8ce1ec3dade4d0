"""Smart wallets."""

from __future__ import annotations

from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.shapes import (
    ADDRESS,
    CHAIN_ID,
    COUNT,
    DECIMAL,
    FLAG,
    closed,
    fields,
    ref,
    several,
    told,
)

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
        "UpdateWalletRequest": closed(fields({"isHidden": FLAG})),
    },
)
