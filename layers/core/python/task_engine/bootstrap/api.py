"""Wiring of the API functions."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from task_engine.api.application import Application, Gate
from task_engine.api.principal import Authenticator
from task_engine.api.rate_limit import RateLimiter
from task_engine.aws.guard_repository import GuardRepository
from task_engine.aws.token_signer import KmsTokenSigner
from task_engine.bootstrap import stores, wallets
from task_engine.bootstrap.core import client, clock, dynamo, packer, settings
from task_engine.evm.ed25519 import verify_ed25519
from task_engine.services.executions import ExecutionService
from task_engine.services.partners import PartnerVerifier, parse_partners
from task_engine.services.tokens_jwt import TokenVerifier
from task_engine.services.triggers import TriggerPorts, TriggerService

if TYPE_CHECKING:
    from task_engine.api.tokens import Tokens
    from task_engine.services.auth import AuthService


@cache
def _signer() -> KmsTokenSigner:
    return KmsTokenSigner(client("kms"), settings())


@cache
def gate() -> Gate:
    """What stands before every route of this deployment."""
    chain_id = settings().default_chain_id
    authenticator = Authenticator(TokenVerifier(_signer(), clock()), _partners(), chain_id)
    return Gate(authenticator, RateLimiter(settings().limits, clock()))


def _partners() -> PartnerVerifier:
    partners = parse_partners(settings().names.get("PARTNERS", ""))
    return PartnerVerifier(partners, verify_ed25519, clock())


@cache
def _executions() -> ExecutionService:
    return ExecutionService(
        stores.tasks(), stores.executions(), stores.steps(), stores.plans(), clock()
    )


@cache
def _triggers() -> TriggerService:
    ports = TriggerPorts(
        stores.tasks(), stores.executions(), stores.plans(), stores.queue(), stores.walker()
    )
    return TriggerService(ports, settings(), clock())


@cache
def auth_api(site: Path) -> Application:
    """/health, /auth:exchange, and the documents in `site`."""
    from task_engine.api.auth import build_app  # noqa: PLC0415

    return build_app(gate(), _login, settings().default_chain_id, site)


def _login() -> AuthService:
    from task_engine.services.auth import AuthService  # noqa: PLC0415 - loads curve arithmetic

    return AuthService(_signer(), GuardRepository(dynamo(), settings()), settings(), clock())


@cache
def workflows_api() -> Application:
    """/workflows."""
    from task_engine.api.workflows import build_app  # noqa: PLC0415
    from task_engine.aws.reply_repository import ReplyRepository  # noqa: PLC0415
    from task_engine.bootstrap.operators import operators  # noqa: PLC0415
    from task_engine.services.coverage import Coverage  # noqa: PLC0415
    from task_engine.services.replies import OncePerKey  # noqa: PLC0415
    from task_engine.services.tasks import Starts, TaskService  # noqa: PLC0415

    once = OncePerKey(ReplyRepository(dynamo(), packer(), settings()), clock(), time.sleep)
    starts = Starts(stores.schedules(), Coverage(operators(), settings(), clock()))
    tasks = TaskService(stores.tasks(), wallets.wallets(), starts, settings(), clock())
    return build_app(gate(), tasks, _triggers(), _executions(), once)


@cache
def executions_api() -> Application:
    """/executions."""
    from task_engine.api.executions import build_app  # noqa: PLC0415
    from task_engine.api.repeats import Repeats  # noqa: PLC0415
    from task_engine.services.resume import ResumeService  # noqa: PLC0415
    from task_engine.services.signals import SignalService  # noqa: PLC0415

    signals = SignalService(stores.waits(), stores.executions(), clock())
    resumes = ResumeService(stores.executions(), stores.plans(), stores.walker(), clock())
    return build_app(gate(), _executions(), signals, Repeats(_triggers(), resumes))


@cache
def secrets_api() -> Application:
    """/secrets."""
    from task_engine.api.secrets import build_app  # noqa: PLC0415
    from task_engine.aws.secret_repository import SecretRepository  # noqa: PLC0415
    from task_engine.aws.vault import Vault  # noqa: PLC0415
    from task_engine.services.secrets import SecretService  # noqa: PLC0415

    vault = Vault(client("kms"), settings().name("SECRETS_KEY"))
    secrets = SecretRepository(dynamo(), vault, settings())
    return build_app(gate(), SecretService(secrets, stores.tasks(), clock()))


@cache
def wallets_api() -> Application:
    """/wallets, /userops, /tokens."""
    from task_engine.api.wallets import WalletServices, build_app  # noqa: PLC0415
    from task_engine.services.policies import PolicyService  # noqa: PLC0415
    from task_engine.services.user_operations import UserOperationService  # noqa: PLC0415
    from task_engine.services.withdrawals import WithdrawService  # noqa: PLC0415

    owned, chosen = wallets.wallets(), settings()
    services = WalletServices(
        wallets=owned,
        withdrawals=WithdrawService(owned, wallets.vaults, chosen, clock()),
        policies=PolicyService(owned, wallets.grants(), wallets.grant_desk, chosen, clock()),
        operations=UserOperationService(
            wallets.operations(), lambda operation: wallets.writer().look(operation)
        ),
        tokens=_tokens,
    )
    return build_app(gate(), services)


def _tokens() -> Tokens:
    from task_engine.bootstrap.chains import tokens  # noqa: PLC0415

    return tokens()


@cache
def operators_api() -> Application:
    """/operators."""
    from task_engine.api.operator_auth import OperatorGate  # noqa: PLC0415
    from task_engine.api.operators import build_app  # noqa: PLC0415
    from task_engine.aws.check_repository import CheckRepository  # noqa: PLC0415
    from task_engine.aws.notice_queue import SqsNoticeQueue  # noqa: PLC0415
    from task_engine.bootstrap.operators import operators, rules  # noqa: PLC0415
    from task_engine.services.operators import OperatorService  # noqa: PLC0415

    service = OperatorService(
        operators(),
        CheckRepository(dynamo(), settings(), clock()),
        SqsNoticeQueue(client("sqs"), settings()),
        clock(),
    )
    return build_app(replace(gate(), operators=OperatorGate(rules(), clock())), service)


@cache
def nodes_api() -> Application:
    """/nodes:run, /triggers:run, /workflows:simulate, /workflows:estimateFees."""
    from task_engine.bootstrap.one_shot import build_nodes_api  # noqa: PLC0415 - loads processors

    return build_nodes_api(gate())
