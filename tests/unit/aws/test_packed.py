"""Packed attributes: compressed, exact, large ones behind a claim check."""

from __future__ import annotations

import random
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from task_engine.aws.blobs import BlobStore
from task_engine.aws.packed import Packer
from task_engine.errors import Unavailable
from task_engine.model.json_value import JsonValue

TEXT = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)
LARGE: JsonValue = [random.Random(1).random() for _ in range(200)]


class FakeBlobs:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.broken = False

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body

    def get(self, key: str) -> bytes:
        return self.objects[key]

    def delete(self, key: str) -> None:
        if self.broken:
            raise Unavailable("the bucket is away")
        self.objects.pop(key, None)


def packer(blobs: FakeBlobs, inline_bytes: int) -> Packer:
    return Packer(lambda: cast(BlobStore, blobs), inline_bytes)


@given(JSON)
def test_documents_come_back_as_they_were(document: JsonValue) -> None:
    blobs = FakeBlobs()
    inline, apart = packer(blobs, 10**9), packer(blobs, 0)
    stored = inline.pack(document, "k")
    assert isinstance(stored, bytes)
    assert inline.unpack(stored) == document
    assert apart.unpack(apart.pack(document, "k")) == document


def test_the_bound_is_on_what_is_stored() -> None:
    blobs = FakeBlobs()
    size = len(cast(bytes, packer(blobs, 10**9).pack(LARGE, "k")))
    assert isinstance(packer(blobs, size).pack(LARGE, "k"), bytes)
    assert blobs.objects == {}
    assert packer(blobs, size - 1).pack(LARGE, "k") == {"blob": "k"}
    assert len(blobs.objects["k"]) == size


def test_a_discarded_pointer_leaves_no_object_and_nothing_else_is_touched() -> None:
    blobs = FakeBlobs()
    pack = packer(blobs, 0)
    stored = pack.pack(LARGE, "k")
    pack.discard(None)
    pack.discard(b"k")
    assert set(blobs.objects) == {"k"}
    blobs.broken = True
    pack.discard(stored)
    blobs.broken = False
    pack.discard(stored)
    assert blobs.objects == {}
