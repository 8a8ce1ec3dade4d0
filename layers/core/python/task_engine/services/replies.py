"""Answers that are given again when the same key comes again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import Conflict, InvalidRequest, Problem
from task_engine.model.json_value import JsonValue

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands under a name: `reply` once it is there. `mine` says that this call is to make
    it; `fingerprint` is of the request that was first."""

    mine: bool
    fingerprint: str = ""
    reply: JsonValue = None
    done: bool = False


class Replies(Protocol):
    """Replies by name, for a time."""

    def begin(self, name: str, fingerprint: str, lease_seconds: int, now_ms: int) -> Kept:
        """Reserve the name, or tell what stands there."""

    def find(self, name: str, now_ms: int) -> Kept | None:
        """What stands there, None when nothing does (any more)."""

    def keep(self, name: str, reply: JsonValue, ttl_seconds: int, now_ms: int) -> None:
        """Keep the reply for the next callers."""

    def forget(self, name: str) -> None:
        """Give the name up."""


@dataclass(frozen=True, slots=True)
class Made:
    """A reply, and whether it may be given again."""

    reply: JsonValue
    keep: bool = True


class OncePerKey:
    """Makes a reply once for each key of each subject; calls that come while it is being made wait
    for it. `pause` sleeps for some seconds."""

    def __init__(
        self,
        replies: Replies,
        clock: Clock,
        pause: Callable[[float], None],
        lease_seconds: int = 28,
    ) -> None:
        self._replies = replies
        self._clock = clock
        self._pause = pause
        self._lease_seconds = lease_seconds

    def reply(
        self, name: str, fingerprint: str, ttl_seconds: int, make: Callable[[], Made]
    ) -> JsonValue:
        """The reply of `name`. Raises Conflict when the key was used for another request
        (`fingerprint` "" = whatever it says), or when the first call does not end in time."""
        until = self._clock.monotonic() + self._lease_seconds - 3
        kept = self._replies.begin(name, fingerprint, self._lease_seconds, self._clock.now_ms())
        while not kept.mine:
            if kept.fingerprint != fingerprint:
                text = "the Idempotency-Key was used for another request: choose another one"
                raise Conflict(text, code="IDEMPOTENCY_KEY_REUSED")
            if kept.done:
                return kept.reply
            if self._clock.monotonic() > until:
                raise Conflict("the first call with this Idempotency-Key has not ended yet")
            self._pause(_POLL_SECONDS)
            found = self._replies.find(name, self._clock.now_ms())
            kept = found or self._replies.begin(
                name, fingerprint, self._lease_seconds, self._clock.now_ms()
            )
        return self._make(name, ttl_seconds, make)

    def _make(self, name: str, ttl_seconds: int, make: Callable[[], Made]) -> JsonValue:
        kept = False
        try:
            made = make()
            if made.keep:
                self._replies.keep(name, made.reply, ttl_seconds, self._clock.now_ms())
                kept = True
            return made.reply
        finally:
            if not kept:
                self._replies.forget(name)


def reply_name(kind: str, owner: str, key: str) -> str:
    """The name of a key's reply; raises InvalidRequest for a key that is none."""
    if _KEY.fullmatch(key) is None:
        text = "must be 1 to 255 visible ASCII characters"
        raise InvalidRequest(
            "the Idempotency-Key can't be used",
            (Problem("INVALID_REQUEST", "Idempotency-Key", text),),
        )
    digest = hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
    return f"{kind}#{digest}"
