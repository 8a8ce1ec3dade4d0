"""Other chains for a stage that runs, for a while."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

from infra_cdk.local.stage import LocalStage
from tests.e2e.settings import Variables, resettled

_SETTING = "TASK_ENGINE_CHAINS"
_FUNCTIONS = ("node_contract_read", "node_contract_write", "node_eth_transfer")


def rewired(stage: LocalStage, chain_id: int, **setting: Any) -> AbstractContextManager[None]:
    """The functions that run nodes on chain have another setting of one chain."""

    def change(variables: Variables) -> Variables:
        chains = {**json.loads(variables[_SETTING]), str(chain_id): setting}
        return {**variables, _SETTING: json.dumps(chains)}

    return resettled(stage, _FUNCTIONS, change)
