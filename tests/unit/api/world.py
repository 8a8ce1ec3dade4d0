"""The API over fakes: what a client and a test can do with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from task_engine.api import auth, executions, nodes, operators, secrets, wallets, workflows
from task_engine.api.application import Application, Gate
from task_engine.api.operator_auth import OperatorGate
from task_engine.api.principal import Authenticator
from task_engine.api.rate_limit import RateLimiter
from task_engine.api.repeats import Repeats
from task_engine.config import Limits, Settings
from task_engine.errors import NodeError, Unavailable
from task_engine.evm.address import Address
from task_engine.evm.ed25519 import verify_ed25519
from task_engine.evm.signer import LocalSigner
from task_engine.ids import new_id
from task_engine.model.chain import Chain
from task_engine.model.edge import Edge
from task_engine.model.node import Node, NodeType
from task_engine.model.plan import Lane, Plan, PlanNode, RunClass, Stage
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerType
from task_engine.processors.branch import BranchProcessor
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.services.auth import AuthService
from task_engine.services.chain_triggers import ChainTriggers
from task_engine.services.coverage import Coverage
from task_engine.services.executions import ExecutionService
from task_engine.services.one_shot import OneShot
from task_engine.services.operator_rules import operator_rules
from task_engine.services.operators import OperatorService
from task_engine.services.partners import PartnerVerifier
from task_engine.services.policies import PolicyService
from task_engine.services.replies import OncePerKey
from task_engine.services.resume import ResumeService
from task_engine.services.scratch import ProcessorOf, ScratchRuns
from task_engine.services.secrets import SecretService
from task_engine.services.signals import SignalService
from task_engine.services.simulate import SimulationService
from task_engine.services.tasks import Starts, TaskService
from task_engine.services.tokens_jwt import TokenVerifier, issue_token
from task_engine.services.trigger_trials import TriggerTrials
from task_engine.services.triggers import TriggerPorts, TriggerService
from task_engine.services.user_operations import UserOperationService
from task_engine.services.wallets import WalletService
from task_engine.services.withdrawals import WithdrawService

from tests.fakes.chain import FakeChain
from tests.fakes.chain import FakeTokens as TokenNames
from tests.fakes.clock import START_MS, FakeClock
from tests.fakes.machines import FakeQueue, FakeSchedules, FakeSigner, FakeSteps, FakeWalker
from tests.fakes.operators import FakeChecks, FakeNoticeQueue, FakeOperators
from tests.fakes.replies import FakeOwnSecrets, FakeReplies
from tests.fakes.stores import FakeExecutions, FakeGuards, FakeSecrets, FakeTasks, FakeWallets
from tests.fakes.waits import FakeWaits
from tests.fakes.wallets import (
    FakeDesk,
    FakeFactories,
    FakeGrants,
    FakeOperations,
    FakeTokens,
    FakeVaults,
)
from tests.unit.api.events import proxy_event
from tests.unit.api.operator import OPERATOR, signed
from tests.unit.api.partner import partner_registry
from tests.unit.services.login import STRANGER, WALLET

OWNER = Address(WALLET.address)
OTHER = Address(STRANGER.address)
CHAIN = 11155111


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problems(self) -> set[tuple[str, str]]:
        """Path and code of each problem."""
        return {(p["path"], p["code"]) for p in self.json.get("errors", ())}


@dataclass
class World:
    """All functions of the API, and everything behind them."""

    limits: Limits = field(default_factory=lambda: Limits(rate_limit_burst=10_000))

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.signer = FakeSigner()
        self.tasks = FakeTasks()
        self.records = FakeExecutions(self.tasks)
        self.secret_rows = FakeSecrets()
        self.wallet_rows = FakeWallets()
        self.schedules = FakeSchedules()
        self.queue = FakeQueue()
        self.walker = FakeWalker()
        self.steps = FakeSteps()
        self.waits = FakeWaits()
        self.own_secrets = FakeOwnSecrets()
        self.replies = FakeReplies()
        self.pauses: list[float] = []
        self.operators = FakeOperators()
        self.chain = FakeChain(FakeClock(), CHAIN)
        self.token_names = TokenNames()
        self.checks = FakeChecks()
        self.notices = FakeNoticeQueue()
        self.partners = PartnerVerifier(partner_registry(), verify_ed25519, self.clock)
        chains = {CHAIN: Chain(CHAIN, ("http://chain.test",)), 84532: Chain(84532)}
        base = Settings.from_env({"TASK_ENGINE_OPERATOR_CHAINS": str(CHAIN)})
        self.settings = replace(base, limits=self.limits, chains=chains)
        self.factories = FakeFactories()
        self.grants = FakeGrants()
        self.desk = FakeDesk()
        self.operations = FakeOperations()
        self.vaults = FakeVaults(self.operations)
        self.tokens = FakeTokens()
        self.wallets = WalletService(self.wallet_rows, self.tasks, self.factories, self.settings)
        self.gas_prices: dict[int, int] = {}
        self._apps = self._build()

    def _build(self) -> dict[str, Application]:
        site = Path(__file__).parents[3] / "functions" / "api_auth" / "site"
        settings, clock = self.settings, self.clock
        verifier = TokenVerifier(self.signer, clock)
        gate = Gate(
            Authenticator(verifier, self.partners, settings.default_chain_id),
            RateLimiter(self.limits, clock),
        )
        login = AuthService(self.signer, FakeGuards(), settings, clock)
        use_tasks = TaskService(self.tasks, self.wallets, self._starts(), settings, clock)
        ports = TriggerPorts(self.tasks, self.records, self.tasks, self.queue, self.walker)
        fire = TriggerService(ports, settings, clock)
        read = ExecutionService(self.tasks, self.records, self.steps, self.tasks, clock)
        workflow_app = workflows.build_app(
            gate, use_tasks, fire, read, OncePerKey(self.replies, clock, lambda _: None)
        )
        signals = SignalService(self.waits, self.records, clock)
        resumes = ResumeService(self.records, self.tasks, self.walker, clock)
        auth_app = auth.build_app(gate, lambda: login, settings.default_chain_id, site)
        return {
            "health": auth_app,
            "openapi.json": auth_app,
            "docs": auth_app,
            "auth": auth_app,
            "workflows": workflow_app,
            "executions": executions.build_app(
                gate, read, signals, Repeats(fire, resumes), self.pauses.append
            ),
            "secrets": secrets.build_app(gate, SecretService(self.secret_rows, self.tasks, clock)),
            "operators": self._operators(gate),
            "wallets": self._wallets(gate),
            **dict.fromkeys(ONE_SHOT_PATHS, nodes.build_app(gate, self._one_shot())),
        }

    def _starts(self) -> Starts:
        coverage = Coverage(self.operators, self.settings, self.clock)
        return Starts(self.schedules, coverage)

    def _operators(self, gate: Gate) -> Application:
        rules = operator_rules(OPERATOR.address, lambda: "")
        service = OperatorService(self.operators, self.checks, self.notices, self.clock)
        own = replace(gate, operators=OperatorGate(rules, self.clock))
        return operators.build_app(own, service)

    def _wallets(self, gate: Gate) -> Application:
        settings, clock = self.settings, self.clock
        services = wallets.WalletServices(
            wallets=self.wallets,
            withdrawals=WithdrawService(self.wallets, lambda: self.vaults, settings, clock),
            policies=PolicyService(self.wallets, self.grants, lambda: self.desk, settings, clock),
            operations=UserOperationService(self.operations, lambda operation: operation),
            tokens=lambda: self.tokens,
        )
        return wallets.build_app(gate, services)

    def _one_shot(self) -> nodes.OneShotServices:
        limits, clock = self.limits, self.clock
        code: dict[NodeType, ProcessorOf] = {
            NodeType.CUSTOM_CODE: lambda: CustomCodeProcessor(limits),
            NodeType.BRANCH: lambda: BranchProcessor(limits),
        }
        runs = ScratchRuns(code, limits, clock)
        on_chain = ChainTriggers(self._rpc, self.token_names, clock)
        trials = TriggerTrials(limits, clock, lambda: on_chain)
        return nodes.OneShotServices(
            one_shot=OneShot(runs, self.own_secrets, limits, clock),
            simulation=SimulationService(runs, self.own_secrets, trials, self.settings, clock),
            trials=trials,
            once=OncePerKey(self.replies, clock, lambda _: None),
            gas_price=self._gas_price,
        )

    def _gas_price(self, chain_id: int) -> int:
        price = self.gas_prices.get(chain_id)
        if price is None:
            raise Unavailable("no such chain", code="FEES_UNAVAILABLE")
        return price

    def _rpc(self, chain_id: int) -> FakeChain:
        if chain_id != self.chain.chain_id:
            raise NodeError(f"chain {chain_id} has no RPC URL here", code="RPC_NODE_ERROR")
        return self.chain

    def token(self, owner: str = OWNER, chain_id: int = CHAIN) -> str:
        return issue_token(self.signer, owner, chain_id, self.clock.ms // 1000 + 3600)

    def call(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        """`token=""` sends none, `owner` calls as another; the rest goes into the event."""
        token = more.pop("token", None)
        owner = more.pop("owner", OWNER)
        headers = dict(more.pop("headers", {}))
        token = self.token(owner) if token is None else token
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        event = proxy_event(method, path, body=body, headers=headers, **more)
        return self.send(event)

    def by_operator(
        self, method: str, path: str, body: object = None, signer: LocalSigner = OPERATOR
    ) -> Answer:
        """A request that an operator has signed just now."""
        return self.send(signed(proxy_event(method, path, body=body), self.clock.ms, signer))

    def send(self, event: dict[str, Any]) -> Answer:
        """Give an event to the function that its path belongs to."""
        path = event["path"].partition("/api/v1")[2] or event["path"]
        name = path.lstrip("/").split("/")[0].split(":")[0]
        name = {"userops": "wallets", "tokens": "wallets"}.get(name, name)
        app = self._apps.get(path.lstrip("/")) or self._apps[name]
        answer = app(event, None)
        many = answer.get("multiValueHeaders", {})
        return Answer(
            answer["statusCode"],
            {name.lower(): values[0] for name, values in many.items()},
            answer["body"] or "",
        )

    def store_task(self, owner: Address = OWNER, **changes: Any) -> Task:
        """A task that is there already: `fetch`, then `sum` after it, and `other` beside them."""
        trigger = changes.pop("trigger", None) or Trigger(
            "t1", "start", TriggerType.MANUAL, {"lang": "JSON", "data": {"from": "config"}}
        )
        task = Task(
            id=new_id(self.clock.ms),
            owner=owner,
            wallet=self.first_wallet(owner),
            name="stored",
            definition=definition_of(trigger, owner, self.first_wallet(owner)),
            status=changes.pop("status", TaskStatus.ENABLED),
            created_at=self.clock.ms,
            **changes,
        )
        self.tasks.create(task, plan_of(trigger, task.definition), 10_000)
        return task

    def first_wallet(self, owner: Address = OWNER) -> str:
        """The owner's wallet of salt 0."""
        return self.wallets.list_wallets(owner, CHAIN)[0].address


def definition_of(trigger: Trigger, owner: str, wallet: str) -> Definition:
    code = {"lang": "javascript", "source": "return 1"}
    return Definition(
        trigger=trigger,
        nodes=tuple(Node(f"n{i}", n, NodeType.CUSTOM_CODE, code) for i, n in enumerate(NAMES)),
        edges=(Edge("e0", "t1", "n0"), Edge("e1", "n0", "n1"), Edge("e2", "t1", "n2")),
        input_variables={"settings": {"runner": wallet, "owner": owner}, "limit": 3},
    )


ONE_SHOT_PATHS = ("nodes:run", "triggers:run", "workflows:simulate", "workflows:estimateFees")
NAMES = ("fetch", "sum", "other")


def plan_of(trigger: Trigger, definition: Definition) -> Plan:
    """What the compiler makes of `definition_of`."""
    ordinals = {"n0": 1, "n2": 2, "n1": 3}
    nodes = {
        node.id: PlanNode(
            node.id,
            node.name,
            node.type,
            node.config,
            ordinals[node.id],
        )
        for node in definition.nodes
    }
    lanes = (Lane(("t1",), ("n0", "n1")), Lane(("t1",), ("n2",)))
    stages = (Stage(lanes, fan=False),)
    return Plan(trigger, nodes, stages, RunClass.EXPRESS, definition.input_variables)


__all__ = ["CHAIN", "OTHER", "OWNER", "START_MS", "Answer", "World", "plan_of"]
