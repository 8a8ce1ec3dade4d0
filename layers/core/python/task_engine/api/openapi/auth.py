"""Log-in, health, and the description itself."""

from __future__ import annotations

from task_engine.api.openapi.operation import Operation, Resource, Success
from task_engine.api.openapi.shapes import (
    ADDRESS,
    CHAIN_ID,
    OBJECT,
    TEXT,
    closed,
    fields,
    ref,
    told,
    words,
)

_MESSAGE = """Eight lines, joined by line feeds; the second is empty:
`Please sign the below text for ownership verification.`, empty, `URI: …`, `Chain ID: …`,
`Version: …`, `Issued At: …`, `Expire At: 2026-01-01T00:00:00.000Z`, `Wallet: 0x…`."""

AUTH = Resource(
    tag="Access",
    description="Sign in with a wallet's key; is the service up.",
    operations={
        "GET /health": Operation(
            "getHealth",
            "Whether the service is up, and its version",
            {200: Success("It is.", ref("HealthStatus"))},
            event="health",
        ),
        "POST /auth:exchange": Operation(
            "exchangeAuth",
            "A token for a signed message",
            {200: Success("The token.", ref("AuthExchangeResponse"))},
            "The message is signed by EIP-191 (personal_sign). A message is good for one exchange.",
            body="AuthExchangeRequest",
            errors=(400, 413),
            event="auth_exchange",
        ),
        "GET /openapi.json": Operation(
            "getOpenApi",
            "This description",
            {200: Success("An OpenAPI 3.1 document.", OBJECT)},
            event="openapi",
        ),
        "GET /docs": Operation(
            "getDocs",
            "This description, for people",
            {200: Success("One page without any other file.", TEXT, "text/html")},
            event="docs",
        ),
    },
    schemas={
        "HealthStatus": fields(
            {"status": words(("ok", "degraded", "starting")), "version": TEXT},
            {"chainId": told(CHAIN_ID, "The chain that is meant where none is named.")},
        ),
        "AuthExchangeRequest": closed(
            fields(
                {
                    "ownerAddress": ADDRESS,
                    "signature": {
                        "type": "string",
                        "pattern": "^(0[xX])?[0-9a-fA-F]{130}$",
                        "description": "65 bytes in hexadecimal digits.",
                    },
                    "message": told(TEXT, " ".join(_MESSAGE.split())),
                }
            )
        ),
        "AuthExchangeResponse": fields(
            {"token": TEXT, "expiresAt": {"type": "string", "format": "date-time"}},
            {"subject": told(ADDRESS, "The owner, with its checksum.")},
        ),
    },
)
