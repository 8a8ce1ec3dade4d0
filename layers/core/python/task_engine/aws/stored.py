"""What is stored and can't be read any more."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from task_engine.aws.failures import AwsError
from task_engine.errors import Corrupted

_GONE = frozenset({"NoSuchKey", "404"})


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raises Corrupted where the bytes, their form or the object they point to are not there;
    other answers of AWS, which may pass, go through as they are."""
    text = f"the stored {what} can't be read"
    try:
        yield
    except AwsError as error:
        if error.name not in _GONE:
            raise
        raise Corrupted(text) from error
    except (AttributeError, LookupError, TypeError, ValueError, zlib.error) as error:
        raise Corrupted(text) from error
