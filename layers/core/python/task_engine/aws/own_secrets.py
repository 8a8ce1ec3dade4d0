"""Secrets of an owner for runs that belong to no task."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo
from task_engine.aws.secret_reader import SecretReader
from task_engine.config import Settings
from task_engine.model.secret import SecretValue
from task_engine.run.ports import Run

_OF_NO_TASK = "-"


class OwnSecrets:
    """Implements SecretsOf: user scope, then server-wide."""

    def __init__(self, dynamo: Dynamo, reader: SecretReader, settings: Settings) -> None:
        self._dynamo = dynamo
        self._reader = reader
        self._settings = settings

    def values(self, owner: str, names: tuple[str, ...]) -> dict[str, SecretValue]:
        """One read of the names' items."""
        run = Run("", _OF_NO_TASK, owner, 1, "")
        table = self._settings.name("TABLE_SECRETS")
        found = self._dynamo.batch_get({table: self._reader.keys(run, names)})
        return self._reader.resolve(run, names, found.get(table, []))
