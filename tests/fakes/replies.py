"""Kept replies and an owner's own secrets in memory."""

from __future__ import annotations

from dataclasses import replace

from task_engine.model.json_value import JsonValue
from task_engine.model.secret import SecretValue
from task_engine.services.replies import Kept


class FakeReplies:
    def __init__(self) -> None:
        self.rows: dict[str, tuple[Kept, int]] = {}

    def begin(self, name: str, fingerprint: str, lease_seconds: int, now_ms: int) -> Kept:
        found = self.find(name, now_ms)
        if found is not None:
            return found
        self.rows[name] = (Kept(False, fingerprint), now_ms + lease_seconds * 1000)
        return Kept(mine=True)

    def find(self, name: str, now_ms: int) -> Kept | None:
        kept, until = self.rows.get(name, (None, 0))
        return kept if until >= now_ms else None

    def keep(self, name: str, reply: JsonValue, ttl_seconds: int, now_ms: int) -> None:
        kept = replace(self.rows[name][0], reply=reply, done=True)
        self.rows[name] = (kept, now_ms + ttl_seconds * 1000)

    def forget(self, name: str) -> None:
        self.rows.pop(name, None)


class FakeOwnSecrets:
    def __init__(self) -> None:
        self.of: dict[tuple[str, str], str] = {}

    def values(self, owner: str, names: tuple[str, ...]) -> dict[str, SecretValue]:
        return {n: SecretValue(self.of[owner, n]) for n in names if (owner, n) in self.of}
