"""ULIDs: 26 characters, lower case, lexical order is creation order (github.com/ulid/spec)."""

from __future__ import annotations

import os
import re
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PATTERN = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")


def _encode(value: int) -> str:
    chars = []
    for _ in range(26):
        chars.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(chars))


class _Generator:
    """Remembers the last value, so that ids of one millisecond keep their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self, stamp_ms: int) -> int:
        value = (stamp_ms << 80) | int.from_bytes(os.urandom(10), "big")
        with self._lock:
            if value >> 80 == self._last >> 80 and value <= self._last:
                value = self._last + 1
            self._last = value
        return value


_generator = _Generator()


def new_id(now_ms: int | None = None) -> str:
    """A new ULID; two made by one process in the same millisecond still sort in order made."""
    stamp = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return _encode(_generator.next(stamp))


def smallest_id(at_ms: int) -> str:
    """The least ULID of that millisecond: a bound for key ranges by time."""
    return _encode(at_ms << 80)


def is_id(text: str) -> bool:
    """Whether `text`, in either case, has the form of an id."""
    return len(text) == 26 and _PATTERN.fullmatch(text.lower()) is not None
