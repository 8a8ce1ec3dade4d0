"""Cold start of each function: a fresh process imports its handler, beside `python -c pass`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 9
# Ratios to the bare interpreter: the API brings its framework, chains Keccak and an ABI library.
_BOUNDS = {
    "node_contract_read": 25,
    "node_balance": 25,
    "node_contract_write": 30,
    "node_eth_transfer": 30,
    "node_chain_loop": 30,
    "operator": 25,
}
MEMORY = (
    "import resource, {module} as m; "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
)


def functions() -> list[str]:
    """Every function's folder name."""
    return sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))


def _once(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
    return time.perf_counter() - started


def _megabytes(module: str) -> int:
    finished = subprocess.run(
        [sys.executable, "-c", MEMORY.format(module=module)],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return int(finished.stdout)


def run() -> list[dict[str, object]]:
    """Ratios of medians, measured in turn with the bare interpreter, and peak memory."""
    rows: list[dict[str, object]] = []
    for name in functions():
        module = f"functions.{name}.handler"
        _once(f"import {module}")
        bare: list[float] = []
        loaded: list[float] = []
        for _ in range(ROUNDS):
            bare.append(_once("pass"))
            loaded.append(_once(f"import {module}"))
        ratio = statistics.median(loaded) / statistics.median(bare)
        bound = _BOUNDS.get(name, 25 if name.startswith("api_") else 12)
        rows.append({"name": name, "value": round(ratio, 1), "unit": "x", "target": f"<= {bound}"})
        megabytes = _megabytes(module)
        rows.append({"name": f"{name} memory", "value": megabytes, "unit": "MB", "target": "<= 60"})
    return rows
