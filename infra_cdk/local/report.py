"""An execution as a table that a person reads."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = Any
_SHOWN = 96


def print_execution(console: Console, title: str, execution: Json) -> None:
    """One row per step: name, type, whether it held, when it began, how long it took, output."""
    table = Table(title=f"{title}: {execution['status']}", title_justify="left", expand=True)
    for heading, justify in (("step", "left"), ("type", "left"), ("", "center")):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("began", justify="right", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("output", ratio=1)
    origin = execution["startAt"]
    for step in execution["steps"]:
        began, ended = step.get("startAt", origin), step.get("endAt", step.get("startAt", origin))
        table.add_row(
            Text(str(step.get("name") or step["id"])),
            Text(str(step["type"])),
            Text("✓", "green") if step["success"] else Text("✗", "red"),
            f"+{max(0, began - origin)} ms",
            f"{ended - began} ms",
            Text(_shortened(step.get("output") if step["success"] else step.get("error"))),
        )
    console.print(table)
    total = execution.get("endAt", origin) - origin
    console.print(f"  execution {execution['id']}, {total} ms in all\n", style="dim")


def _shortened(value: Json) -> str:
    if isinstance(value, dict) and set(value) == {"data"}:
        value = value["data"]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
