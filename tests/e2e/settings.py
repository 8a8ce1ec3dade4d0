"""Other settings for functions of a stage that runs, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until

Variables = dict[str, str]


@contextmanager
def resettled(
    stage: LocalStage, functions: tuple[str, ...], change: Callable[[Variables], Variables]
) -> Iterator[None]:
    """`functions`, by their folders' names, have what `change` makes of their environment."""
    client = stage.aws.client("lambda")
    before = _variables(client, functions)
    assert len(before) == len(functions), before.keys()
    try:
        for name, variables in before.items():
            _set(client, name, change(variables))
        yield
    finally:
        for name, variables in before.items():
            _set(client, name, variables)


def _variables(client: Any, functions: tuple[str, ...]) -> dict[str, Variables]:
    """Of these functions, by their deployed name."""
    pages = client.get_paginator("list_functions").paginate()
    return {
        each["FunctionName"]: each["Environment"]["Variables"]
        for page in pages
        for each in page["Functions"]
        if any(f".{name}." in each["Handler"] for name in functions)
    }


def _set(client: Any, name: str, variables: Mapping[str, str]) -> None:
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def settled() -> bool:
        told = client.get_function_configuration(FunctionName=name)
        return bool(told.get("LastUpdateStatus", "Successful") == "Successful")

    wait_until(settled, f"the new setting of {name}", 10)
