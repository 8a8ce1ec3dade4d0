"""Every function of the engine: its size, and all that it may touch."""

from __future__ import annotations

from collections.abc import Mapping

from infra_cdk.function_spec import FunctionSpec, Use

API_SECONDS = 29
NODE_SECONDS = 90
WORKER_SECONDS = 30

_CHAINS = ("CHAINS", "DEFAULT_CHAIN_ID")
_HTTP = ("ALLOWED_HOSTS",)
_BLOBS = frozenset({Use.READ_BLOBS, Use.WRITE_BLOBS})
_WALKS = frozenset({Use.WALK_EXPRESS, Use.WALK_STANDARD})
_STATE = ("PutItem", "Query")
# Writing on chain: the operation is remembered, the sending key is lent to one at a time.
_WRITES: Mapping[str, tuple[str, ...]] = {
    "operations": ("GetItem", "PutItem", "UpdateItem"),
    "guards": ("DeleteItem", "UpdateItem"),
}
_SENDING = frozenset({Use.ACT_FOR_WALLETS, Use.SEND_TRANSACTIONS, Use.SPONSOR})
# Changing what a task is also changes what operators watch for it.
_CHECKS = ("PutItem",)
# An execution that can't begin ends, and may pause its task.
_REFUSE: Mapping[str, tuple[str, ...]] = {
    "tasks": ("GetItem", "UpdateItem"),
    "executions": ("GetItem", "UpdateItem"),
    "operators": _CHECKS,
}
# Giving an execution its end also completes its task and corrects the owner's count.
_FINISH: Mapping[str, tuple[str, ...]] = {**_REFUSE, "steps": ("Query",)}


def _api(
    name: str,
    purpose: str,
    tables: Mapping[str, tuple[str, ...]],
    uses: frozenset[Use] = frozenset(),
    settings: tuple[str, ...] = ("DEFAULT_CHAIN_ID",),
) -> FunctionSpec:
    return FunctionSpec(
        name=name,
        purpose=purpose,
        timeout_seconds=API_SECONDS,
        tables=tables,
        uses=uses | {Use.VERIFY_TOKENS},
        settings=("PARTNERS", *settings),
    )


def _node(
    kind: str,
    purpose: str,
    settings: tuple[str, ...] = (),
    more: Mapping[str, tuple[str, ...]] | None = None,
    uses: frozenset[Use] = frozenset(),
) -> FunctionSpec:
    return FunctionSpec(
        name=f"node_{kind}",
        purpose=purpose,
        timeout_seconds=NODE_SECONDS,
        tables={
            "tasks": ("GetItem",),
            "executions": ("BatchGetItem",),
            "steps": ("BatchGetItem", "UpdateItem"),
            "secrets": ("BatchGetItem",),
            **(more or {}),
        },
        uses=_BLOBS | {Use.DECRYPT_SECRETS} | uses,
        settings=("SERVER_VARIABLES", *settings),
    )


_API = (
    _api(
        "api_auth",
        "POST /auth:exchange, GET /health, /openapi.json and /docs",
        {"guards": ("UpdateItem",)},
        frozenset({Use.SIGN_TOKENS}),
    ),
    _api(
        "api_workflows",
        "Tasks: create, read, change, trigger",
        {
            "tasks": ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
            "executions": ("GetItem", "PutItem", "Query"),
            "steps": ("Query",),
            "guards": ("DeleteItem", "GetItem", "PutItem", "UpdateItem"),
            "wallets": ("Query",),
            "operators": ("PutItem", "Query"),
            # What hangs on a task goes with it.
            "secrets": ("BatchWriteItem", "Query"),
            "task_state": ("BatchWriteItem", "Query"),
        },
        _BLOBS
        | {Use.DELETE_BLOBS, Use.ENQUEUE, Use.ARM, Use.DISARM}
        | {Use.WALK_STANDARD, Use.WALK_AND_WAIT},
        (*_CHAINS, "OPERATOR_CHAINS", "OPERATOR_SHARD"),
    ),
    _api(
        "api_executions",
        "Executions: read, count, statistics, decide on waits, run once more, resume",
        {
            "tasks": ("BatchGetItem", "GetItem", "Query", "UpdateItem"),
            "executions": ("GetItem", "PutItem", "Query", "UpdateItem"),
            "steps": ("Query", "UpdateItem"),
            "guards": ("GetItem", "PutItem"),
            "operators": _CHECKS,
        },
        _BLOBS | _WALKS | {Use.ANSWER_WAITS, Use.ASK_WALKS, Use.ENQUEUE},
    ),
    _api(
        "api_secrets",
        "Secrets: put, list, delete",
        {"secrets": ("DeleteItem", "Query", "UpdateItem"), "tasks": ("GetItem",)},
        frozenset({Use.ENCRYPT_SECRETS, Use.READ_BLOBS}),
    ),
    _api(
        "api_wallets",
        "Wallets: list, create, hide, withdraw, session policies; user operations; tokens",
        {
            "wallets": ("GetItem", "PutItem", "Query", "UpdateItem"),
            "tasks": ("Query",),
            **_WRITES,
        },
        _BLOBS | _SENDING,
        _CHAINS,
    ),
    _api(
        "api_operators",
        "Operators: list, register, what to watch; notices of those without AWS credentials",
        {"operators": ("Query", "UpdateItem"), "operators/changes": ("Query",)},
        frozenset({Use.NOTIFY, Use.KNOW_OPERATOR}),
        ("DEFAULT_CHAIN_ID", "OPERATORS"),
    ),
    _api(
        "api_nodes",
        "One node, one trigger, a simulation, an estimate: run at once, no execution stored",
        {
            "secrets": ("BatchGetItem",),
            "wallets": ("GetItem", "Query"),
            **_WRITES,
            "guards": ("DeleteItem", "GetItem", "UpdateItem"),
        },
        _BLOBS | _SENDING | {Use.DECRYPT_SECRETS},
        (*_CHAINS, *_HTTP, "INDEXER_URL", "SERVER_VARIABLES"),
    ),
)

_NODES = (
    _node("rest_api", "One HTTP request", _HTTP),
    _node("graphql_query", "One GraphQL query", _HTTP),
    _node("custom_code", "The user's JavaScript, in a sandbox", more={"task_state": _STATE}),
    _node("branch", "The first condition that holds"),
    _node("filter", "The elements for which an expression holds"),
    _node(
        "loop",
        "One node over every element, in chunks",
        (*_HTTP, *_CHAINS),
        {"task_state": _STATE, "steps": ("BatchGetItem", "GetItem", "Query", "UpdateItem")},
    ),
    _node("contract_read", "Methods of a contract, all read at one block", _CHAINS),
    _node("balance", "What an address holds", (*_CHAINS, *_HTTP, "INDEXER_URL")),
    _node(
        "contract_write",
        "Methods of contracts, called through the run's wallet",
        _CHAINS,
        {"wallets": ("GetItem", "Query"), **_WRITES},
        _SENDING,
    ),
    _node(
        "eth_transfer",
        "The chain's coin, sent from the run's wallet",
        _CHAINS,
        {"wallets": ("GetItem", "Query"), **_WRITES},
        _SENDING,
    ),
    _node(
        "chain_loop",
        "One node that writes on chain over every element, one after another",
        (*_CHAINS, *_HTTP),
        {
            "task_state": _STATE,
            "wallets": ("GetItem", "Query"),
            **_WRITES,
            "steps": ("BatchGetItem", "GetItem", "Query", "UpdateItem"),
        },
        _SENDING,
    ),
    FunctionSpec(
        name="node_await",
        purpose="Opens a wait, and reads what was decided",
        timeout_seconds=WORKER_SECONDS,
        tables={
            "tasks": ("GetItem",),
            "executions": ("BatchGetItem", "UpdateItem"),
            "operators": _CHECKS,
            "steps": ("BatchGetItem", "GetItem", "UpdateItem"),
        },
        uses=_BLOBS | {Use.ARM, Use.ANSWER_WAITS},
    ),
)

_WORKERS = (
    FunctionSpec(
        name="trigger",
        purpose="Turns firings of schedules and operators' notices into executions",
        timeout_seconds=WORKER_SECONDS,
        tables={
            "tasks": ("BatchGetItem", "GetItem", "UpdateItem"),
            "executions": ("GetItem", "PutItem", "UpdateItem"),
            # Votes of operators are counted there too.
            "guards": ("GetItem", "PutItem", "UpdateItem"),
            "operators": ("GetItem", "PutItem", "UpdateItem"),
            "steps": ("Query", "UpdateItem"),
        },
        uses=_BLOBS | {Use.ENQUEUE, Use.DISARM, Use.ANSWER_WAITS, Use.KNOW_OPERATOR},
        settings=("OPERATORS",),
        asynchronous=True,
    ),
    FunctionSpec(
        name="start_execution",
        purpose="Takes executions off the queue and starts their walks",
        timeout_seconds=WORKER_SECONDS,
        tables=_REFUSE,
        uses=_WALKS | {Use.READ_BLOBS, Use.ANNOUNCE, Use.DISARM},
    ),
    FunctionSpec(
        name="fail_step",
        purpose="Stores the failed step that a node's function could not store",
        timeout_seconds=WORKER_SECONDS,
        tables={"tasks": ("GetItem",), "steps": ("UpdateItem",)},
        uses=_BLOBS,
    ),
    FunctionSpec(
        name="finish_execution",
        purpose="Gives an execution its final status and announces it",
        timeout_seconds=WORKER_SECONDS,
        tables=_FINISH,
        uses=frozenset({Use.READ_BLOBS, Use.ANNOUNCE}),
        asynchronous=True,
    ),
    FunctionSpec(
        name="sweeper",
        purpose="Expires tasks; revives or ends executions that are stuck",
        timeout_seconds=240,
        tables={
            **_FINISH,
            "steps": ("Query", "UpdateItem"),
            "tasks/due": ("Query",),
            "executions/open": ("Query",),
        },
        uses=_WALKS | _BLOBS | {Use.ASK_WALKS, Use.DISARM, Use.ANNOUNCE, Use.ANSWER_WAITS},
        asynchronous=True,
    ),
)

OPERATOR_FUNCTION = "operator"
"""Only built where the deployment has chains to watch."""
_OPERATOR = FunctionSpec(
    name=OPERATOR_FUNCTION,
    purpose="Watches a chain for a minute and tells what it saw",
    # A turn lasts a minute, and its last pass may have to wait for a node.
    timeout_seconds=120,
    memory_mb=256,
    tables={
        "operators": ("GetItem", "PutItem", "UpdateItem", "Query"),
        "operators/changes": ("Query",),
        "guards": ("DeleteItem", "UpdateItem"),
    },
    uses=frozenset({Use.NOTIFY, Use.SIGN_NOTICES}),
    settings=("CHAINS", "OPERATOR_PAUSE_SECONDS", "OPERATOR_RUN_SECONDS", "OPERATOR_SHARD"),
    asynchronous=True,
)

FUNCTIONS: Mapping[str, FunctionSpec] = {
    spec.name: spec for spec in (*_API, *_NODES, *_WORKERS, _OPERATOR)
}
API_FUNCTIONS = tuple(spec.name for spec in _API)
NODE_FUNCTIONS = tuple(spec.name for spec in _NODES)
CHAIN_NODE_FUNCTIONS = (
    "node_contract_read",
    "node_balance",
    "node_contract_write",
    "node_eth_transfer",
    "node_chain_loop",
)
WORKER_FUNCTIONS = tuple(spec.name for spec in _WORKERS)
WALKED_FUNCTIONS = (*NODE_FUNCTIONS, "fail_step", "finish_execution")
