"""A run while it goes on: one line a node, or one line a step where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from task_engine_cli.printable import brief, duration, printable
from task_engine_cli.views import status_text
from task_engine_client import Execution, Node, Step, Workflow


def watch(console: Console, workflow: Workflow, changes: Iterable[Execution]) -> Execution:
    """Show the changes until the last one, which is returned."""
    if console.is_terminal:
        return _watch_live(console, workflow, changes)
    return _watch_lines(console, changes)


def _watch_live(console: Console, workflow: Workflow, changes: Iterable[Execution]) -> Execution:
    last = Execution.of({})
    with Live(console=console, refresh_per_second=10) as live:
        for last in changes:
            live.update(progress_table(workflow, last))
    return last


def _watch_lines(console: Console, changes: Iterable[Execution]) -> Execution:
    last, told = Execution.of({}), 0
    for last in changes:
        for step in last.steps[told:]:
            console.print(step_line(step), soft_wrap=True)
        told = len(last.steps)
    console.print(Text.assemble(f"{last.id} ", status_text(last.status)), soft_wrap=True)
    return last


def step_line(step: Step) -> Text:
    """An ended step in one line."""
    mark = ("✓ ", "green") if step.success else ("✗ ", "red")
    took = duration(step.start_at, step.end_at)
    result = brief(step.data) if step.success else brief(step.error, 300)
    return Text.assemble(
        mark, (printable(step.name or step.id), "bold"), f" {printable(step.type)} {took} {result}"
    )


def progress_table(workflow: Workflow, execution: Execution) -> Table:
    """The state of every node of the task."""
    steps = {step.id: step for step in execution.steps}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("", Text(f"{printable(workflow.name) or workflow.id}", "bold"))
    for node in workflow.nodes:
        step = steps.get(node.id)
        if step is None:
            state = _state(node, workflow, execution)
            mark = Spinner("dots") if state == "running" else Text("·", "dim")
            table.add_row(mark, Text(printable(node.name or node.id)), node.type, state, "")
            continue
        mark = Text("✓", "green") if step.success else Text("✗", "red")
        took = duration(step.start_at, step.end_at)
        result = Text(brief(step.data if step.success else step.error, 60))
        table.add_row(mark, Text(printable(node.name or node.id)), node.type, took, result)
    table.add_row("", status_text(execution.status))
    return table


def _state(node: Node, workflow: Workflow, execution: Execution) -> str:
    """What a node without a step does: the API tells only of those that ended."""
    if node.id in execution.skipped or node.name in execution.skipped:
        return "skipped"
    if execution.final:
        return "not run"
    known = {other.id for other in workflow.nodes}
    sources = {edge.source.partition(".")[0] for edge in workflow.edges if edge.target == node.id}
    ended = {step.id for step in execution.steps} | set(execution.skipped)
    return "running" if (sources & known) <= ended else "waits"
