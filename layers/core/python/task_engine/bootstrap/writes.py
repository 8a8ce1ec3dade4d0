"""Wiring of the processors that write on chain."""

from __future__ import annotations

from functools import cache

from task_engine.bootstrap import wallets
from task_engine.bootstrap.chains import chains, simulator
from task_engine.bootstrap.core import clock
from task_engine.config import Settings
from task_engine.processors.contract_write import ContractWriteProcessor
from task_engine.processors.eth_transfer import EthTransferProcessor
from task_engine.processors.write_ports import WritePorts


@cache
def write_ports() -> WritePorts:
    """How writes get on chain in this deployment."""
    return WritePorts(wallets.writer, simulator(), clock().now_ms)


def contract_write(settings: Settings) -> ContractWriteProcessor:  # noqa: ARG001 - as any maker
    """Runs contractWrite nodes."""
    return ContractWriteProcessor(write_ports())


def eth_transfer(settings: Settings) -> EthTransferProcessor:
    """Runs ethTransfer nodes."""
    sponsored = frozenset(chain.id for chain in settings.chains.values() if chain.paymaster)
    return EthTransferProcessor(write_ports(), chains(), sponsored)
