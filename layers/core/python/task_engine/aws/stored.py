"""What is stored and can't be read any more."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from task_engine.aws.failures import AwsError
from task_engine.aws.items import Item
from task_engine.errors import Corrupted

log = logging.getLogger(__name__)

T = TypeVar("T")

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


def readable(items: Iterable[Item], read: Callable[[Item], T]) -> Iterator[T]:
    """What `read` makes of the items. One that can't be read must not keep the others from whoever
    asks: it is told to the log and left out."""
    for item in items:
        try:
            yield read(item)
        except Corrupted as error:
            names = {"owner": item.get("owner"), "task_id": item.get("taskId")}
            names["execution_id" if "taskId" in item else "task_id"] = item.get("id")
            log.error("left out: %s", error, extra=names)
