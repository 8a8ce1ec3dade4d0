"""Runs every benchmark, prints the table, saves it as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

MODULES = (
    "bench_cold_start",
    "bench_compile",
    "bench_template",
    "bench_http",
    "bench_contract_read",
    "bench_api",
    "bench_node_overhead",
    "bench_ten_nodes",
    "bench_user_operation",
    "bench_watch",
    "bench_notices",
    "cost",
)


def main() -> int:
    """Run the chosen benchmarks; exit status 0 whatever the figures are: they are for reading."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=MODULES)
    parser.add_argument("--out", type=Path, default=Path(".local/bench.json"))
    chosen = parser.parse_args()
    console = Console(width=120)
    rows: list[dict[str, object]] = []
    for name in chosen.names:
        console.print(f"[dim]{name} …[/dim]")
        module = importlib.import_module(f"tests.benchmarks.{name}")
        found = module.run()
        rows.extend({"benchmark": name, **row} for row in found)
        console.print(_table(name, found))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"python": sys.version.split()[0], "machine": platform.machine()}
    chosen.out.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1))
    console.print(f"saved as {chosen.out}")
    return 0


def _table(name: str, rows: list[dict[str, object]]) -> Table:
    table = Table(title=name, title_justify="left")
    for column in ("what", "value", "unit", "target"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for row in rows:
        value = row["value"]
        text = f"{value:,.3g}" if isinstance(value, float) else str(value)
        table.add_row(str(row["name"]), text, str(row["unit"]), str(row.get("target", "")))
    return table


if __name__ == "__main__":
    sys.exit(main())
