"""docs/permissions.md, made from the catalogue: what every function may do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from infra_cdk.access import actions_of
from infra_cdk.catalogue import FUNCTIONS
from infra_cdk.function_spec import FunctionSpec

PAGE = Path(__file__).parents[1] / "docs" / "permissions.md"
_HEAD = """\
# What every function may do

Made from `infra_cdk/catalogue.py` by `make permissions`; a test compares. Each function has a role
of its own that allows these actions on these resources and nothing else. Besides, every function
may write to its own log group and send its traces, and those that are invoked without a caller put
what fails into a dead-letter queue. Keys that act on chain exist only where chains are configured.

What is left out is what makes it safe: only `api_secrets` can write a secret, and it can't read
one; only functions that render templates can read them; only `api_auth` makes tokens; only those
that write on chain can sign; no function may change a role, a key, a function or a log.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join([_HEAD, *(line for spec in FUNCTIONS.values() for line in _section(spec))])


def _section(spec: FunctionSpec) -> Iterator[str]:
    yield f"## {spec.name}"
    yield ""
    yield f"{spec.purpose}."
    yield ""
    yield "| resource | actions |"
    yield "|---|---|"
    for name, actions in sorted(actions_of(spec).items()):
        yield f"| {_resource(name)} | {', '.join(f'`{action}`' for action in sorted(actions))} |"
    yield ""


def _resource(name: str) -> str:
    kind, _, rest = name.partition(":")
    table, _, index = rest.partition("/")
    if kind != "table":
        return name.replace("_", " ")
    return f"table {table}, index {index}" if index else f"table {table}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
