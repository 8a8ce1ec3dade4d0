"""The reading side of secrets: for the nodes that name them, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from task_engine.aws.items import Item
from task_engine.aws.vault import Vault
from task_engine.clock import Clock
from task_engine.model.secret import SecretScope, SecretValue
from task_engine.run.ports import Run

_KEPT_SECONDS = 300.0
_KEPT = 256


def secret_key(scope: SecretScope, task_id: str, name: str) -> str:
    """Range key of a secret."""
    return f"workflow#{task_id}#{name}" if scope is SecretScope.WORKFLOW else f"user#{name}"


def secret_context(owner: str, key: str, name: str) -> dict[str, str]:
    """Encryption context {owner, scope, name}; the scope names the task too."""
    return {"owner": owner, "scope": key.removesuffix(f"#{name}"), "name": name}


class SecretReader:
    """Resolves names: workflow beats user beats server-wide (docs/adr/0007). Plain values stay in
    this process for five minutes, so that a busy function does not ask KMS for each node."""

    def __init__(self, vault: Vault, server: Mapping[str, str], clock: Clock) -> None:
        self._vault = vault
        self._server = server
        self._clock = clock
        self._kept: dict[bytes, tuple[float, SecretValue]] = {}

    def keys(self, run: Run, names: Iterable[str]) -> list[dict[str, object]]:
        """Where the named secrets may stand."""
        return [
            {"owner": run.owner, "sk": secret_key(scope, run.task_id, name)}
            for name in names
            for scope in (SecretScope.WORKFLOW, SecretScope.USER)
        ]

    def resolve(
        self, run: Run, names: Iterable[str], items: Iterable[Item]
    ) -> dict[str, SecretValue]:
        """Values of the names that are known; only the chosen scope's is decrypted."""
        found = {str(item["sk"]): item for item in items}
        values: dict[str, SecretValue] = {}
        for name in names:
            for scope in (SecretScope.WORKFLOW, SecretScope.USER):
                item = found.get(secret_key(scope, run.task_id, name))
                if item is not None:
                    values[name] = self._plain(item, name)
                    break
            else:
                if name in self._server:
                    values[name] = SecretValue(self._server[name])
        return values

    def _plain(self, item: Item, name: str) -> SecretValue:
        ciphertext: bytes = item["ciphertext"]
        kept = self._kept.get(ciphertext)
        now = self._clock.monotonic()
        if kept is not None and now - kept[0] < _KEPT_SECONDS:
            return kept[1]
        context = secret_context(item["owner"], str(item["sk"]), name)
        value = SecretValue(self._vault.decrypt(ciphertext, context))
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[ciphertext] = (now, value)
        return value
