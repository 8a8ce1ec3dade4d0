"""Parts of JSON Web Signatures (RFC 7515): base64url without padding, around JSON or bytes."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import NoReturn


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
    """The JSON object of a part; raises ValueError, also for one that two readers could read in two
    ways: a name that stands twice (RFC 7519, section 4), numbers that are none."""
    raw = decode_part(text)
    try:
        document = json.loads(
            raw.decode(), object_pairs_hook=_unique, parse_constant=_refused, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON") from error
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")
    return document


def decode_header(text: str, algorithm: str) -> None:
    """Raises ValueError unless the part is a header of `algorithm` that asks for no extension
    (RFC 7515, section 4.1.11: what is critical and not understood makes it invalid)."""
    header = decode_object(text)
    if header.get("alg") != algorithm:
        raise ValueError(f"has another algorithm than {algorithm}")
    if "crit" in header:
        raise ValueError("asks for an extension")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
