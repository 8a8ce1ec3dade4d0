"""A key service in memory that answers as KMS does: DER, and the high s as often as the low."""

from __future__ import annotations

from coincurve import PrivateKey

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SPKI = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")


class FakeKeys:
    """Implements KeyService; `high` makes it answer the high s, `asked` counts public_key."""

    def __init__(self, private_key: str, *, high: bool = False) -> None:
        self._key = PrivateKey(bytes.fromhex(private_key.removeprefix("0x")))
        self.high = high
        self.asked = 0

    def public_key(self, key_id: str) -> bytes:
        self.asked += 1
        return _SPKI + self._key.public_key.format(compressed=False)

    def sign(self, key_id: str, digest: bytes) -> bytes:
        raw = self._key.sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
        if self.high:
            s = _ORDER - s
        body = b"".join(_integer(number) for number in (r, s))
        return b"\x30" + bytes([len(body)]) + body


def _integer(number: int) -> bytes:
    raw = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(raw)]) + raw
