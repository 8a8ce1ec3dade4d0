"""An execution as a tree: each step below the one that let it start."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from task_engine_cli.printable import brief, duration, printable
from task_engine_cli.views import status_text
from task_engine_client import Edge, Execution, Step


def execution_tree(execution: Execution, edges: Sequence[Edge]) -> Tree:
    """The steps with when they began (after the execution did) and how long they took."""
    heading = Text.assemble(
        f"execution {printable(execution.id)} ",
        status_text(execution.status),
        f" {duration(execution.start_at, execution.end_at)}",
    )
    tree = Tree(heading, guide_style="dim")
    if execution.error:
        tree.add(Text(brief(execution.error, 300), "red"))
    steps = execution.steps
    if not steps:
        return tree
    branches = {steps[0].id: tree.add(_line(steps[0], execution))}
    for step in steps[1:]:
        branches[step.id] = branches[_parent(step, steps, edges)].add(_line(step, execution))
    for name in execution.skipped:
        tree.add(Text(f"· {printable(name)} skipped", "dim"))
    return tree


def _parent(step: Step, steps: Sequence[Step], edges: Sequence[Edge]) -> str:
    """The last step before it in the graph; the trigger when the graph does not say."""
    sources = {edge.source.partition(".")[0] for edge in edges if edge.target == step.id}
    before = steps[: steps.index(step)]
    return next((other.id for other in reversed(before) if other.id in sources), steps[0].id)


def _line(step: Step, execution: Execution) -> Text:
    mark = ("✓ ", "green") if step.success else ("✗ ", "red")
    shown = (brief(step.data), "dim") if step.success else (brief(step.error, 300), "red")
    began = duration(execution.start_at, step.start_at)
    return Text.assemble(
        mark,
        (printable(step.name or step.id), "bold"),
        f" {printable(step.type)} ",
        (f"+{began}, {duration(step.start_at, step.end_at)} ", "cyan"),
        shown,
    )
