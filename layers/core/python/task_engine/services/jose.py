"""Parts of JSON Web Signatures (RFC 7515): base64url without padding, around JSON or bytes."""

from __future__ import annotations

import base64
import binascii
import json


def encode_part(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def encode_object(document: object) -> str:
    """A JSON document as a part."""
    return encode_part(json.dumps(document, separators=(",", ":")).encode())


def decode_part(text: str) -> bytes:
    """The bytes of a part; raises ValueError unless `text` is the one way to write them."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("is not base64url") from error
    # Unused bits of the last character would let one token be written in several ways.
    if encode_part(raw) != text:
        raise ValueError("is not base64url")
    return raw


def decode_object(text: str) -> dict[str, object]:
    """The JSON object of a part; raises ValueError."""
    raw = decode_part(text)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON") from error
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")
    return document
