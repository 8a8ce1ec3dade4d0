"""Wiring of the function that runs nodes, triggers and simulations at once."""

from __future__ import annotations

import time
from functools import cache

from task_engine.api.application import Application, Gate
from task_engine.api.nodes import OneShotServices, build_app
from task_engine.aws.own_secrets import OwnSecrets
from task_engine.aws.reply_repository import ReplyRepository
from task_engine.aws.secret_reader import SecretReader
from task_engine.aws.vault import Vault
from task_engine.bootstrap.core import client, clock, dynamo, packer, settings
from task_engine.model.node import NodeType
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.branch import BranchProcessor
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.processors.filter import FilterProcessor
from task_engine.processors.graphql_query import GraphqlQueryProcessor
from task_engine.processors.rest_api import RestApiProcessor
from task_engine.services.one_shot import OneShot
from task_engine.services.replies import OncePerKey
from task_engine.services.scratch import ProcessorOf, ScratchRuns
from task_engine.services.simulate import SimulationService
from task_engine.services.trigger_trials import OnChain, TriggerTrials


def build_nodes_api(gate: Gate) -> Application:
    """The routes of task_engine.api.nodes behind `gate`."""
    chosen = settings()
    runs = ScratchRuns(_processors(), chosen.limits, clock())
    vault = Vault(client("kms"), chosen.name("SECRETS_KEY"))
    reader = SecretReader(vault, chosen.server_variables, clock())
    secrets = OwnSecrets(dynamo(), reader, chosen)
    replies = ReplyRepository(dynamo(), packer(), chosen)
    trials = TriggerTrials(chosen.limits, clock(), _on_chain)
    services = OneShotServices(
        one_shot=OneShot(runs, secrets, chosen.limits, clock()),
        simulation=SimulationService(runs, secrets, trials, chosen, clock()),
        trials=trials,
        once=OncePerKey(replies, clock(), time.sleep),
        gas_price=_gas_price,
    )
    return build_app(gate, services)


@cache
def _on_chain() -> OnChain:
    from task_engine.bootstrap.chains import chains, tokens  # noqa: PLC0415 - loads Keccak
    from task_engine.services.chain_triggers import ChainTriggers  # noqa: PLC0415

    return ChainTriggers(chains().rpc, tokens(), clock())


def _gas_price(chain_id: int) -> int:
    from task_engine.bootstrap.chains import chains  # noqa: PLC0415 - loads Keccak
    from task_engine.evm.gas_price import gas_price  # noqa: PLC0415

    return gas_price(chains(), chain_id)


def _processors() -> dict[NodeType, ProcessorOf]:
    """Makers of the processors that this deployment has, loops left out."""
    from task_engine.bootstrap.reads import balance, contract_read  # noqa: PLC0415 - loads Keccak
    from task_engine.bootstrap.writes import contract_write, eth_transfer  # noqa: PLC0415

    limits = settings().limits
    http = SafeHttp(EgressPolicy(settings().allowed_hosts), limits)
    return {
        NodeType.REST_API: lambda: RestApiProcessor(http),
        NodeType.GRAPHQL_QUERY: lambda: GraphqlQueryProcessor(http),
        NodeType.CUSTOM_CODE: lambda: CustomCodeProcessor(limits),
        NodeType.BRANCH: lambda: BranchProcessor(limits),
        NodeType.FILTER: lambda: FilterProcessor(limits),
        NodeType.CONTRACT_READ: lambda: contract_read(settings()),
        NodeType.BALANCE: lambda: balance(settings()),
        NodeType.CONTRACT_WRITE: lambda: contract_write(settings()),
        NodeType.ETH_TRANSFER: lambda: eth_transfer(settings()),
    }
