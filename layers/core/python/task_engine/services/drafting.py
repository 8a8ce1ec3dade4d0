"""A create request made a task and its plan; loads the compiler, its schemas and the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from task_engine.compiler.chain_names import chain_id_of
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.validate import TaskDraft, ValidationRules, validate_task
from task_engine.config import Settings
from task_engine.errors import InvalidRequest, Problem
from task_engine.evm.address import Address, is_address
from task_engine.ids import new_id
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import CHAIN_NODE_TYPES, NodeType
from task_engine.model.plan import Plan
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import TriggerType
from task_engine.services.coverage import Coverage
from task_engine.services.wallets import WalletService
from task_engine.template.sandbox import syntax_error

_RUNNER = "inputVariables.settings.runner"


class Drafting:
    """Checks and compiles create requests."""

    def __init__(self, wallets: WalletService, coverage: Coverage, settings: Settings) -> None:
        self._wallets = wallets
        self._coverage = coverage
        self._settings = settings

    def draft(self, owner: str, body: JsonObject, now_ms: int) -> tuple[Task, Plan]:
        """An enabled task with a new id, and its plan; nothing is stored.

        Raises InvalidRequest with every problem at once, a runner that is not the owner's and nodes
        that this deployment can't run included.
        """
        rules = ValidationRules(
            limits=self._settings.limits,
            chains=frozenset(self._settings.chains),
            now_ms=now_ms,
            syntax_check=_syntax_check,
        )
        refused = (
            *self._runner_problems(owner, body),
            *_not_offered(body, self._settings.chains),
            *self._unwatched(body),
        )
        try:
            draft = validate_task(body, rules)
        except InvalidRequest as error:
            problems = (*error.problems, *refused)
            raise InvalidRequest(
                error.message if not refused else _REFUSED, problems, code=error.stable_code
            ) from error
        if refused:
            raise InvalidRequest(_REFUSED, refused)
        task = _task(owner, draft, now_ms)
        return task, compile_definition(task.definition)

    def _unwatched(self, body: JsonObject) -> list[Problem]:
        """Triggers and waits on chains that no live operator watches: they would never fire."""
        places = [
            (path, chain) for path, chain in _watch_places(body) if chain in self._settings.chains
        ]
        if not places:
            return []
        watched = self._coverage.watched(frozenset(chain for _, chain in places))
        return [
            Problem("CHAIN_NOT_WATCHED", path, f"no operator watches chain {chain} at present")
            for path, chain in places
            if chain not in watched
        ]

    def _runner_problems(self, owner: str, body: JsonObject) -> tuple[Problem, ...]:
        """The wallet that is to act must be the caller's; its form is the validation's matter."""
        variables = body.get("inputVariables")
        settings = variables.get("settings") if isinstance(variables, dict) else None
        runner = settings.get("runner") if isinstance(settings, dict) else None
        if not is_address(runner) or self._wallets.owns(owner, str(runner)):
            return ()
        text = "is not a wallet of yours: create it first"
        return (Problem("SMART_WALLET_NOT_FOUND", _RUNNER, text),)


_WATCHED_TRIGGERS = frozenset(kind.value for kind in TriggerType if kind.on_chain)
_REFUSED = "the workflow can't be created"


def _not_offered(body: JsonObject, chains: Mapping[int, Chain]) -> list[Problem]:
    """Nodes that can't work here: better refused now than failed in every run."""
    nodes = body.get("nodes")
    return [
        problem
        for place, node in enumerate(nodes if isinstance(nodes, list) else [])
        for problem in _not_here(node, f"nodes[{place}]", chains)
    ]


def _not_here(node: JsonValue, path: str, chains: Mapping[int, Chain]) -> Iterator[Problem]:
    kind = _kind(node)
    given = node.get("config") if isinstance(node, dict) else None
    config = given if isinstance(given, dict) else {}
    if kind is NodeType.LOOP:
        yield from _not_here(config.get("runner"), f"{path}.config.runner", chains)
    elif kind in CHAIN_NODE_TYPES:
        field = "chain" if kind is NodeType.BALANCE else "chainId"
        chain = chains.get(chain_id_of(config.get(field)) or 0)
        if chain is not None and not chain.rpc_urls:
            text = f"chain {chain.id} has no node here: its RPC URL is not configured"
            yield Problem("INVALID_NODE_CONFIG", f"{path}.config.{field}", text)


def _watch_places(body: JsonObject) -> Iterator[tuple[str, int]]:
    """Where a request names a chain that operators must watch, and which."""
    trigger = body.get("trigger")
    if isinstance(trigger, dict) and str(trigger.get("type")) in _WATCHED_TRIGGERS:
        yield from _chain_at(trigger.get("config"), "trigger.config.chainId")
    nodes = body.get("nodes")
    for place, node in enumerate(nodes if isinstance(nodes, list) else []):
        config = node.get("config") if isinstance(node, dict) else None
        if _kind(node) is NodeType.AWAIT and isinstance(config, dict):
            path = f"nodes[{place}].config.chainEvent.chainId"
            yield from _chain_at(config.get("chainEvent"), path)


def _chain_at(holder: JsonValue, path: str) -> Iterator[tuple[str, int]]:
    chain = holder.get("chainId") if isinstance(holder, dict) else None
    if type(chain) is int:
        yield path, chain


def _kind(node: JsonValue) -> NodeType | None:
    word = node.get("type") if isinstance(node, dict) else None
    return next((kind for kind in NodeType if kind.value == word), None)


def _task(owner: str, draft: TaskDraft, now_ms: int) -> Task:
    task_id = new_id(now_ms)
    wallet = Address(draft.wallet)
    return Task(
        id=task_id,
        owner=owner,
        wallet=wallet,
        name=draft.name,
        definition=_completed(draft, owner, task_id),
        status=TaskStatus.ENABLED,
        created_at=now_ms,
        start_at=draft.start_at,
        expired_at=draft.expired_at,
        max_execution=draft.max_execution,
        check_version=now_ms if draft.definition.trigger.type.on_chain else 0,
    )


def _completed(draft: TaskDraft, owner: str, task_id: str) -> Definition:
    """The definition with what the server adds to `settings`, for templates to read."""
    variables = dict(draft.definition.input_variables)
    given = variables.get("settings")
    settings: dict[str, JsonValue] = dict(given) if isinstance(given, dict) else {}
    settings.update(
        id=task_id,
        owner=owner,
        startAt=draft.start_at,
        expiredAt=draft.expired_at,
        maxExecution=draft.max_execution,
    )
    return replace(draft.definition, input_variables={**variables, "settings": settings})


def _syntax_check(kind: str, source: str) -> str | None:
    return syntax_error("body" if kind == "body" else "expression", source)
