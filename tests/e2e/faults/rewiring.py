"""Other chains for a stage that runs, for a while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until

_SETTING = "TASK_ENGINE_CHAINS"
_FUNCTIONS = ("node_contract_read", "node_contract_write", "node_eth_transfer")


@contextmanager
def rewired(stage: LocalStage, chain_id: int, **setting: Any) -> Iterator[None]:
    """The functions that run nodes on chain have another setting of one chain."""
    client = stage.aws.client("lambda")
    before = {
        name: variables for name, variables in _variables(stage).items() if _SETTING in variables
    }
    assert len(before) == len(_FUNCTIONS), before.keys()
    try:
        for name, variables in before.items():
            chains = {**json.loads(variables[_SETTING]), str(chain_id): setting}
            _set(client, name, {**variables, _SETTING: json.dumps(chains)})
        yield
    finally:
        for name, variables in before.items():
            _set(client, name, variables)


def _variables(stage: LocalStage) -> dict[str, dict[str, str]]:
    """Of the functions in question, by their deployed name."""
    pages = stage.aws.client("lambda").get_paginator("list_functions").paginate()
    return {
        each["FunctionName"]: each["Environment"]["Variables"]
        for page in pages
        for each in page["Functions"]
        if any(f".{name}." in each["Handler"] for name in _FUNCTIONS)
    }


def _set(client: Any, name: str, variables: dict[str, str]) -> None:
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def settled() -> bool:
        told = client.get_function_configuration(FunctionName=name)
        return bool(told.get("LastUpdateStatus", "Successful") == "Successful")

    wait_until(settled, f"the new setting of {name}", 10)
