"""Private keys: from a file, a keystore or the environment; never from an argument."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from task_engine_cli.failures import InputError
from task_engine_client.signing import decrypt_keystore


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the key is: a file (64 hex digits, or a version 3 keystore) or a variable's name."""

    file: str = ""
    variable: str = ""

    @property
    def known(self) -> bool:
        """Whether there is one at all."""
        return bool(self.file or self.variable)

    def read(self) -> str:
        """The key; asks for a keystore's password. Raises InputError and SignInUnavailable."""
        if self.file:
            return _from_file(Path(self.file).expanduser())
        key = os.environ.get(self.variable, "")
        if not key:
            raise InputError(f"the environment variable {self.variable} is not set")
        return key


def _from_file(path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8").strip()
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise InputError(f"the key file can't be read: {error}") from error
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        typer.echo(f"warning: others can read {path}; chmod 600 it", err=True)
    if not content.startswith("{"):
        return content
    if not sys.stdin.isatty():
        raise InputError(f"{path} needs a password: sign in again with `task-engine login`")
    return decrypt_keystore(content, typer.prompt("Password", hide_input=True, err=True))
