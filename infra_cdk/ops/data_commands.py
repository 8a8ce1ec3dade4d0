"""Commands about all of the data: back-ups, and secrets under their key."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra_cdk.ops import backup, keys
from infra_cdk.ops.engine import Engine
from infra_cdk.ops.output import Output


def add_to(commands: Any) -> None:  # noqa: ANN401 - argparse names no public type
    """export, import, reencrypt"""
    export_command = commands.add_parser("export", help="write all that is kept to a new folder")
    export_command.add_argument("folder", type=Path)
    export_command.add_argument(
        "--at", type=_moment, default=None, help="tables as of then, e.g. 2026-01-31T10:00:00Z"
    )
    export_command.set_defaults(run=export)
    restore_command = commands.add_parser("import", help="write such a folder back")
    restore_command.add_argument("folder", type=Path)
    restore_command.add_argument("--replace", action="store_true", help="lose what is there now")
    restore_command.add_argument(
        "--open",
        choices=("end", "walk"),
        default="end",
        help="executions that were open: end them (default), or walk on, if nothing ran since",
    )
    restore_command.set_defaults(run=restore)
    again = commands.add_parser("reencrypt", help="encrypt secrets by the newest key material")
    again.add_argument("--dry-run", action="store_true", help="only count them")
    again.set_defaults(run=reencrypt)


def export(engine: Engine, given: Namespace, output: Output) -> int:
    """0."""
    output.rows([backup.export(engine, given.folder, given.at)])
    return 0


def restore(engine: Engine, given: Namespace, output: Output) -> int:
    """0."""
    walk = given.open == "walk"
    output.rows([asdict(backup.restore(engine, given.folder, replace=given.replace, walk=walk))])
    return 0


def reencrypt(engine: Engine, given: Namespace, output: Output) -> int:
    """0."""
    done, passed = keys.reencrypt(engine, dry_run=given.dry_run)
    word = "would be encrypted anew" if given.dry_run else "encrypted anew"
    output.done(f"{done} secrets {word}, {passed} changed meanwhile", done=done, passed=passed)
    return 0


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("must be like 2026-01-31T10:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
