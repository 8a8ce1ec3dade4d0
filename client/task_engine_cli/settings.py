"""What the command line remembers: one file of the user, readable by nobody else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from task_engine_cli.failures import InputError

URL_VARIABLE = "TASK_ENGINE_URL"
TOKEN_VARIABLE = "TASK_ENGINE_TOKEN"  # noqa: S105 a name
KEY_VARIABLE = "TASK_ENGINE_PRIVATE_KEY"
ASSERTION_VARIABLE = "TASK_ENGINE_PARTNER_ASSERTION"


@dataclass(frozen=True, slots=True)
class Settings:
    """The API's address, the session, and where the key is (never the key itself)."""

    url: str = ""
    token: str = ""
    expires_at: str = ""
    owner: str = ""
    wallet: str = ""
    key_file: str = ""
    key_env: str = ""
    chain_id: int = 11_155_111


def settings_file() -> Path:
    """`config.json` in the XDG configuration folder (XDG Base Directory Specification 0.8)."""
    return _folder("XDG_CONFIG_HOME", ".config") / "config.json"


def state_file() -> Path:
    """`executions.json` in the XDG state folder: which task an execution belongs to."""
    return _folder("XDG_STATE_HOME", ".local/state") / "executions.json"


def stored_settings() -> Settings:
    """What the file says, defaults without one; raises InputError when it is damaged."""
    document = read_json(settings_file())
    values: dict[str, Any] = {}
    for known in fields(Settings):
        value = document.get(known.name)
        if isinstance(value, type(known.default)):
            values[known.name] = value
    return Settings(**values)


def effective_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The file's settings with the environment's address and token on top.

    A stored token is never sent to another address than the one that gave it.
    """
    stored = stored_settings()
    url = (environment.get(URL_VARIABLE) or stored.url).rstrip("/")
    token = environment.get(TOKEN_VARIABLE, "")
    if url == stored.url and not token:
        return stored
    return Settings(url=url, token=token, chain_id=stored.chain_id)


def store_settings(settings: Settings) -> None:
    """Write the file; it is whole or not there, and only its owner can read it."""
    write_json(settings_file(), asdict(settings))


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file of ours, empty without a file; raises InputError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read: {error}") from error
    return document if isinstance(document, dict) else {}


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a file of ours by a new one with mode 0600; raises InputError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error}") from error


def _folder(variable: str, default: str) -> Path:
    named = Path(os.environ.get(variable, ""))
    base = named if named.is_absolute() else Path.home() / default
    return base / "task-engine"
