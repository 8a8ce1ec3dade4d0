"""Cursors in a file on this machine: a restart goes on where the watch ended."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

from task_engine.errors import Unavailable
from task_engine.operator.cursor import Cursor, cursor_from_json, cursor_to_json

from task_engine_operator.config import ConfigError

_TABLE = """
CREATE TABLE IF NOT EXISTS cursors (
    watch TEXT NOT NULL, chain INTEGER NOT NULL, revision INTEGER NOT NULL, cursor TEXT NOT NULL,
    PRIMARY KEY (watch, chain)
) WITHOUT ROWID
"""
_UPDATE = (
    "UPDATE cursors SET revision = ?, cursor = ? WHERE watch = ? AND chain = ? AND revision = ?"
)
_INSERT = "INSERT OR IGNORE INTO cursors (revision, cursor, watch, chain) VALUES (?, ?, ?, ?)"


class SqliteCursors:
    """Implements CursorStore; for all threads, and beside other processes with the same file.

    `watch` names whose cursors they are: one file may serve several operators and engines. What is
    written survives a crash of the process and of the machine.
    """

    def __init__(self, file: Path, watch: str) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                file, timeout=10, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError([f"the state can't be kept in {file}: {error}"]) from error

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def get(self, chain_id: int) -> Cursor | None:
        """The cursor as last written; raises Unavailable."""
        query = "SELECT cursor FROM cursors WHERE watch = ? AND chain = ?"
        row = self._run(query, (self._watch, chain_id)).fetchone()
        return None if row is None else cursor_from_json(json.loads(row[0]))

    def put(self, cursor: Cursor, expected_revision: int) -> bool:
        """As CursorStore says; raises Unavailable."""
        text = json.dumps(cursor_to_json(cursor), separators=(",", ":"))
        what = (cursor.revision, text, self._watch, cursor.chain_id)
        if expected_revision:
            return self._run(_UPDATE, (*what, expected_revision)).rowcount == 1
        return self._run(_INSERT, what).rowcount == 1

    def _run(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        try:
            with self._lock:
                return self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise Unavailable(f"the file of cursors can't be used: {error}") from error
