"""An operator's figures for Prometheus, and whether it is well.

https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from task_engine.operator.findings import Kind
from task_engine.operator.progress import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "task_engine_operator_"


@dataclass(frozen=True, slots=True)
class Report:
    """What is known at one moment: each chain's figures and the time of a block there (seconds),
    when the engine last heard of us (ms, 0 = never), and whether we are stopping."""

    figures: Sequence[Figures]
    block_seconds: dict[int, float]
    heard_ms: int
    now_ms: int
    left_out: int = 0
    stopping: bool = False

    def lag(self, chain: Figures) -> float:
        """Seconds that the chain's watch is late."""
        return chain.lag_seconds(self.now_ms, self.block_seconds[chain.chain_id])


@dataclass(frozen=True, slots=True)
class _Figure:
    name: str
    kind: str
    text: str
    value: Callable[[Figures], float]


_FIGURES = (
    _Figure("checks", "gauge", "Checks that are watched for.", lambda f: f.checks),
    _Figure("head_block", "gauge", "The chain's newest block.", lambda f: f.head),
    _Figure("block", "gauge", "The last block passed.", lambda f: f.block),
    _Figure("blocks_behind", "gauge", "Blocks left to watch.", lambda f: f.behind),
    _Figure("passes_total", "counter", "Passes over the chain.", lambda f: f.passes),
    _Figure("pass_failures_total", "counter", "Passes that failed.", lambda f: f.failures),
    _Figure("pass_seconds_total", "counter", "Time that passes took.", lambda f: f.seconds),
    _Figure("logs_total", "counter", "Logs that were looked at.", lambda f: f.logs),
    _Figure(
        "blocks_skipped_total",
        "counter",
        "Blocks that nobody will look at.",
        lambda f: f.skipped_blocks,
    ),
    _Figure(
        "firings_left_out_total",
        "counter",
        "Firings of intervals that were not made up for.",
        lambda f: f.firings_left_out,
    ),
    _Figure("reorgs_total", "counter", "Times that the chain left blocks.", lambda f: f.reorgs),
)


def metrics_text(report: Report) -> str:
    """The page that Prometheus scrapes."""
    lines: list[str] = []
    for figure in _FIGURES:
        lines += _head(figure.name, figure.kind, figure.text)
        lines += [_line(figure.name, f, figure.value(f)) for f in report.figures]
    lines += _head("lag_seconds", "gauge", "How late an event is told.")
    lines += [_line("lag_seconds", f, report.lag(f)) for f in report.figures]
    lines += _head("notices_total", "counter", "Notices sent.")
    for f in report.figures:
        sent = dict(f.notices)
        for kind in Kind:
            labels = f'chain="{f.chain_id}",kind="{kind.value}"'
            lines.append(f"{_PREFIX}notices_total{{{labels}}} {sent.get(kind, 0)}")
    lines += _head("notices_left_out_total", "counter", "Notices too large to be sent.")
    lines.append(f"{_PREFIX}notices_left_out_total {report.left_out}")
    lines += _head("heartbeat_age_seconds", "gauge", "Since the engine last heard of us.")
    age = (report.now_ms - report.heard_ms) / 1000 if report.heard_ms else float("inf")
    lines.append(f"{_PREFIX}heartbeat_age_seconds {_number(age)}")
    return "\n".join(lines) + "\n"


def problems_of(report: Report, most_lag_seconds: float = 120.0) -> list[str]:
    """Why it is not well, for health checks; [] when it is."""
    found = ["stopping"] if report.stopping else []
    if not report.heard_ms or report.now_ms - report.heard_ms > most_lag_seconds * 1000:
        found.append("the engine has not heard of this operator for too long")
    found += [
        f"chain {chain.chain_id} is watched {report.lag(chain):.0f} s late {chain.error}".rstrip()
        for chain in report.figures
        if report.lag(chain) > most_lag_seconds
    ]
    return found


def _head(name: str, kind: str, text: str) -> Iterable[str]:
    return (f"# HELP {_PREFIX}{name} {text}", f"# TYPE {_PREFIX}{name} {kind}")


def _line(name: str, figures: Figures, value: float) -> str:
    return f'{_PREFIX}{name}{{chain="{figures.chain_id}"}} {_number(value)}'


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if float(value).is_integer() else f"{value:.3f}"
