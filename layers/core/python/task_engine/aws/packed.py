"""JSON documents in a binary attribute; above a bound, in the blob store with a claim check."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable
from typing import Any

from task_engine.aws.blobs import BlobStore
from task_engine.errors import EngineError
from task_engine.model.json_value import JsonValue

log = logging.getLogger(__name__)

Blobs = Callable[[], BlobStore]


class Packer:
    """Packs and unpacks; `blobs` is made only when a value is large."""

    def __init__(self, blobs: Blobs, inline_bytes: int) -> None:
        self._blobs = blobs
        self._inline_bytes = inline_bytes

    def pack(self, value: JsonValue, key: str) -> bytes | dict[str, str]:
        """Compressed JSON, or `{"blob": key}` after having written it there."""
        packed = compressed(value)
        if len(packed) <= self._inline_bytes:
            return packed
        self._blobs().put(key, packed)
        return {"blob": key}

    def discard(self, stored: object) -> None:
        """Remove what a pointer points to, once nothing holds the pointer any more; whatever else
        `stored` is, there is nothing to do. Failing leaves an object that nobody reads."""
        if not isinstance(stored, dict) or "blob" not in stored:
            return
        try:
            self._blobs().delete(stored["blob"])
        except EngineError as error:
            log.warning("a blob was left over", extra={"code": error.stable_code})

    def unpack(self, stored: bytes | dict[str, str]) -> Any:  # noqa: ANN401 - the document's own type
        """The document that `pack` was given."""
        packed = self._blobs().get(stored["blob"]) if isinstance(stored, dict) else stored
        return decompressed(packed)


def compressed(value: JsonValue) -> bytes:
    """Compact JSON, compressed."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def decompressed(packed: bytes) -> Any:  # noqa: ANN401 - the document's own type
    """The document that `compressed` was given."""
    return json.loads(zlib.decompress(packed).decode("utf-8", "surrogatepass"))
