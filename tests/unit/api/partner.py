"""A partner that signs its assertions."""

from __future__ import annotations

from typing import Any

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from task_engine.services.jose import encode_object, encode_part
from task_engine.services.partners import Partner, parse_partners

PARTNER = "studio"
AUDIENCE = "https://tasks.example.com"
_KEY = ECC.construct(curve="Ed25519", seed=bytes(range(32)))
OTHER_KEY = ECC.construct(curve="Ed25519", seed=bytes(32))


def public_hex(key: ECC.EccKey = _KEY) -> str:
    return key.public_key().export_key(format="raw").hex()


def partner_registry() -> dict[str, Partner]:
    """As the deployment's setting names it: an old key and the present one."""
    return parse_partners(
        f'{{"{PARTNER}": {{"keys": ["{"11" * 32}", "{public_hex()}"], "scopes": ["read"],'
        f' "audience": "{AUDIENCE}"}}}}'
    )


def assertion(now_ms: int, key: ECC.EccKey = _KEY, **changes: Any) -> str:
    """A JWT that holds for ten minutes; None takes a claim out, `alg` changes the header."""
    header = {"alg": changes.pop("alg", "EdDSA"), "typ": "JWT"}
    claims: dict[str, Any] = {
        "iss": PARTNER,
        "aud": AUDIENCE,
        "scope": "read write",
        "exp": now_ms // 1000 + 600,
    }
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    signed = f"{encode_object(header)}.{encode_object(claims)}"
    signature = eddsa.new(key, "rfc8032").sign(signed.encode())
    return f"{signed}.{encode_part(signature)}"
