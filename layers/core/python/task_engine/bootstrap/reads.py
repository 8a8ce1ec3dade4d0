"""Wiring of the processors that read chains."""

from __future__ import annotations

from task_engine.bootstrap.chains import chains, simulator, tokens
from task_engine.config import Settings
from task_engine.evm.balances import RpcBalances
from task_engine.processors.balance import BalanceProcessor, BalanceProvider
from task_engine.processors.contract_read import ContractReadProcessor


def contract_read(_settings: Settings) -> ContractReadProcessor:
    """The processor of contractRead nodes."""
    return ContractReadProcessor(chains(), simulator())


def balance(chosen: Settings) -> BalanceProcessor:
    """The processor of balance nodes: an indexer where the deployment has one, else the chain."""
    return BalanceProcessor(_provider(chosen))


def _provider(chosen: Settings) -> BalanceProvider:
    url = chosen.names.get("INDEXER_URL", "")
    if not url:
        return RpcBalances(chains(), tokens())
    # Loads urllib3 and the guard of outgoing connections.
    from task_engine.net.policy import EgressPolicy  # noqa: PLC0415
    from task_engine.net.safe_http import SafeHttp  # noqa: PLC0415
    from task_engine.processors.balance_indexer import IndexerBalances  # noqa: PLC0415

    http = SafeHttp(EgressPolicy(chosen.allowed_hosts), chosen.limits)
    currencies = {chain.id: chain.currency for chain in chosen.chains.values()}
    return IndexerBalances(http, url, currencies)
