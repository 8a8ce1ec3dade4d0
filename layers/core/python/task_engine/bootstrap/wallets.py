"""Wiring of smart wallets: where they are, who signs for them, and how their writes get sent.

Every API function imports it and few use it: what handles chains is loaded when it is called for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from task_engine.bootstrap import stores
from task_engine.bootstrap.core import client, clock, dynamo, packer, settings
from task_engine.errors import ConfigurationError
from task_engine.services.wallets import WalletService

if TYPE_CHECKING:
    from task_engine.aws.grant_repository import GrantRepository
    from task_engine.aws.operation_repository import OperationRepository
    from task_engine.evm.chains import Chains
    from task_engine.evm.estimate import Estimator
    from task_engine.evm.grant_desk import WalletGrants
    from task_engine.evm.paymasters.ports import Paymaster
    from task_engine.evm.senders.ports import Sender
    from task_engine.evm.signer import Signer
    from task_engine.evm.wallet_vaults import WalletVaults
    from task_engine.evm.wallet_writer import WalletWriter
    from task_engine.evm.wallets.factories import WalletFactories


def _chains() -> Chains:
    from task_engine.bootstrap.chains import chains  # noqa: PLC0415 - loads Keccak

    return chains()


@cache
def factories() -> WalletFactories:
    """Where wallets are."""
    from task_engine.evm.wallets.factories import WalletFactories  # noqa: PLC0415 - loads curves

    return WalletFactories(settings().chains, _chains())


@cache
def wallets() -> WalletService:
    """Wallets of owners."""
    from task_engine.aws.wallet_repository import WalletRepository  # noqa: PLC0415

    records = WalletRepository(dynamo(), settings())
    return WalletService(records, stores.tasks(), factories(), settings())


@cache
def grants() -> GrantRepository:
    """Grants of wallets."""
    from task_engine.aws.grant_repository import GrantRepository  # noqa: PLC0415

    return GrantRepository(dynamo(), settings())


@cache
def grant_desk() -> WalletGrants:
    """What wallets and the controller say about grants."""
    from task_engine.evm.grant_desk import WalletGrants  # noqa: PLC0415

    return WalletGrants(factories(), _chains(), _key("CONTROLLER_KEY"))


@cache
def operations() -> OperationRepository:
    """User operations."""
    from task_engine.aws.operation_repository import OperationRepository  # noqa: PLC0415

    return OperationRepository(dynamo(), packer(), settings())


@cache
def writer() -> WalletWriter:
    """Carries orders out. Raises ConfigurationError where the deployment has no keys for chains."""
    from task_engine.aws.delay_repository import DelayRepository  # noqa: PLC0415
    from task_engine.evm.orders import WriterPorts  # noqa: PLC0415
    from task_engine.evm.wallet_writer import WalletWriter  # noqa: PLC0415

    ports = WriterPorts(
        operations=operations(),
        delays=DelayRepository(dynamo(), settings()),
        grants=grants(),
        wallet_of=wallets().require,
        chains=_chains(),
        factories=factories(),
        lanes=_lane,
        clock=clock(),
    )
    return WalletWriter(ports, _required("CONTROLLER_KEY"), time.sleep)


@cache
def vaults() -> WalletVaults:
    """What wallets hold and pay outside of tasks."""
    from task_engine.evm.wallet_vaults import WalletVaults  # noqa: PLC0415

    return WalletVaults(_chains(), operations(), writer)


@dataclass(frozen=True, slots=True)
class ChainLane:
    """Implements Lane."""

    sender: Sender
    estimator: Estimator
    paymaster: Paymaster | None


@cache
def _lane(chain_id: int) -> ChainLane:
    from task_engine.evm.entry_point import ENTRY_POINTS  # noqa: PLC0415

    chain = _chains().chain(chain_id)
    rpc, point = _chains().rpc(chain_id), ENTRY_POINTS[chain.entry_point]
    bundler = _chains().bundler(chain_id)
    if bundler is not None:
        from task_engine.evm.bundler_estimate import BundlerEstimator  # noqa: PLC0415
        from task_engine.evm.senders.http_bundler import HttpBundler  # noqa: PLC0415

        return ChainLane(
            HttpBundler(rpc, bundler, point, chain.confirmations),
            BundlerEstimator(rpc, bundler, point),
            _paymaster(chain_id),
        )
    from task_engine.aws.lease_repository import LeaseRepository  # noqa: PLC0415
    from task_engine.evm.estimate import SelfEstimator  # noqa: PLC0415
    from task_engine.evm.senders.self_bundler import SelfBundler, SendingRules  # noqa: PLC0415

    lease = LeaseRepository(dynamo(), settings(), clock())
    rules = SendingRules(confirmations=chain.confirmations)
    return ChainLane(
        SelfBundler(rpc, point, _required("BUNDLER_KEY"), lease, rules),
        SelfEstimator(rpc, point),
        _paymaster(chain_id),
    )


def _paymaster(chain_id: int) -> Paymaster | None:
    from task_engine.evm.address import Address  # noqa: PLC0415
    from task_engine.evm.entry_point import ENTRY_POINTS  # noqa: PLC0415

    chain = _chains().chain(chain_id)
    service = _chains().paymaster(chain_id)
    if chain.paymaster == "erc7677" and service is not None:
        from task_engine.evm.paymasters.erc7677 import Erc7677Paymaster  # noqa: PLC0415

        return Erc7677Paymaster(service, ENTRY_POINTS[chain.entry_point].address)
    if chain.paymaster == "verifying":
        from task_engine.evm.paymasters.verifying import VerifyingPaymaster  # noqa: PLC0415

        address = Address(chain.paymaster_address)
        return VerifyingPaymaster(address, chain_id, _required("PAYMASTER_KEY"), clock())
    return None


@cache
def _key(name: str) -> Signer | None:
    """A key of KMS; None where the deployment has none of that name."""
    key_id = settings().names.get(name, "")
    if not key_id:
        return None
    from task_engine.aws.kms_keys import KmsKeys  # noqa: PLC0415
    from task_engine.evm.signer import KmsSigner  # noqa: PLC0415

    return KmsSigner(KmsKeys(client("kms")), key_id)


def _required(name: str) -> Signer:
    key = _key(name)
    if key is None:
        raise ConfigurationError(
            f"this deployment has no {name}: deploy it with the chains that it shall write to"
        )
    return key
