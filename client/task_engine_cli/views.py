"""Tasks, executions and the rest as tables and trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from task_engine_cli.printable import brief, duration, moment, printable
from task_engine_client import (
    Execution,
    Operator,
    RunResult,
    Secret,
    TokenMetadata,
    Wallet,
    Workflow,
)
from task_engine_client.document import Document, mapping, objects, text

STATUS_STYLES = {
    "success": "green",
    "enabled": "green",
    "completed": "blue",
    "failed": "red",
    "error": "red",
    "disabled": "yellow",
    "pending": "yellow",
    "waiting": "magenta",
}


def status_text(status: str) -> Text:
    """A status in its colour."""
    return Text(printable(status), STATUS_STYLES.get(status, ""))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=heading in ("id", "execution", "address", "status"))
    return table


def workflow_table(workflows: Iterable[Workflow]) -> Table:
    """One row a task."""
    table = _table("id", "status", "trigger", "runs", "created", "name")
    for workflow in workflows:
        table.add_row(
            printable(workflow.id),
            status_text(workflow.status),
            printable(workflow.trigger.type),
            _runs(workflow),
            moment(workflow.created_at),
            Text(printable(workflow.name)),
        )
    return table


def workflow_view(workflow: Workflow) -> RenderableType:
    """One task: its facts, then its nodes with what comes before each."""
    facts = _table("", "")
    facts.show_header = False
    rows = {
        "id": Text(printable(workflow.id)),
        "name": Text(printable(workflow.name)),
        "status": status_text(workflow.status),
        "wallet": Text(printable(workflow.wallet)),
        "runs": Text(_runs(workflow)),
        "created": Text(moment(workflow.created_at)),
        "expires": Text(moment(workflow.expired_at)),
        "trigger": Text(
            f"{printable(workflow.trigger.type)} {brief(dict(workflow.trigger.config))}"
        ),
    }
    for name, value in rows.items():
        if value.plain:
            facts.add_row(Text(name, "dim"), value)
    nodes = _table("node", "type", "after", "config")
    names = {node.id: node.name or node.id for node in workflow.nodes}
    names[workflow.trigger.id] = workflow.trigger.name
    for node in workflow.nodes:
        sources = (edge.source for edge in workflow.edges if edge.target == node.id)
        nodes.add_row(
            Text(printable(node.name or node.id)),
            printable(node.type),
            Text(printable(", ".join(names.get(source, source) for source in sources))),
            Text(brief(dict(node.config), 60)),
        )
    return Group(facts, Text(""), nodes)


def execution_table(executions: Sequence[Execution]) -> Table:
    """One row an execution."""
    table = _table("execution", "#", "status", "began", "took", "error")
    for execution in executions:
        table.add_row(
            printable(execution.id),
            "" if execution.index is None else str(execution.index),
            status_text(execution.status),
            moment(execution.start_at),
            duration(execution.start_at, execution.end_at),
            Text(brief(execution.error, 60)),
        )
    return table


def secret_table(secrets: Iterable[Secret]) -> Table:
    """One row a secret; there is no value to show."""
    table = _table("name", "scope", "task", "updated")
    for secret in secrets:
        table.add_row(
            printable(secret.name),
            printable(secret.scope),
            printable(secret.workflow_id),
            moment(secret.updated_at),
        )
    return table


def wallet_table(wallets: Iterable[Wallet], chosen: str) -> Table:
    """One row a wallet; the chosen one is marked."""
    table = _table("", "address", "salt", "")
    for wallet in wallets:
        marked = "*" if wallet.address.lower() == chosen.lower() else ""
        hidden = "hidden" if wallet.hidden else ""
        table.add_row(marked, printable(wallet.address), printable(wallet.salt), hidden)
    return table


def withdrawal_view(sent: Document) -> RenderableType:
    """How a withdrawal stands, and where to look for it."""
    lines = [status_text(text(sent, "status"))]
    for name in ("message", "transactionHash", "userOpHash"):
        if text(sent, name):
            lines.append(Text(printable(text(sent, name))))
    return Group(*lines)


def fees_table(fees: Document) -> Table:
    """One row a fee: of the run, of each node, of the value moved."""
    table = _table("fee", "amount", "unit")
    table.add_row("the run", *_fee(mapping(fees, "executionFee")))
    for cost in objects(fees, "cogs"):
        of = f"{text(cost, 'costType')} of {text(cost, 'nodeId')}"
        table.add_row(Text(printable(of)), *_fee(mapping(cost, "fee")))
    table.add_row("of the value moved", *_fee(mapping(mapping(fees, "valueFee"), "fee")))
    return table


def operator_table(operators: Iterable[Operator]) -> Table:
    """One row an operator."""
    table = _table("address", "chains", "version", "last seen", "block")
    for operator in operators:
        table.add_row(
            printable(operator.address),
            ", ".join(map(str, operator.chain_ids)),
            printable(operator.version),
            printable(operator.last_seen),
            "" if operator.block_number is None else str(operator.block_number),
        )
    return table


def token_view(token: TokenMetadata) -> RenderableType:
    """What a token says of itself."""
    if not token.found:
        return Text("unknown token", "yellow")
    decimals = "" if token.decimals is None else f", {token.decimals} decimals"
    return Text(printable(f"{token.symbol} {token.name}{decimals} ({token.source})"))


def _fee(fee: Document) -> tuple[Text, Text]:
    return Text(printable(text(fee, "amount"))), Text(printable(text(fee, "unit")))


def result_view(result: RunResult) -> RenderableType:
    """What one node gave."""
    if not result.success:
        return Text(f"✗ {printable(result.error)} {printable(result.error_code)}".rstrip(), "red")
    return Text.assemble(("✓ ", "green"), brief(result.data, 2000))


def _runs(workflow: Workflow) -> str:
    limit = workflow.max_execution
    return f"{workflow.execution_count} of {limit}" if limit else str(workflow.execution_count)
