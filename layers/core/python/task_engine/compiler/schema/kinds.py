"""Which form belongs to which type, and how types are spelled."""

from __future__ import annotations

from task_engine.compiler.schema.await_signal import AwaitConfig
from task_engine.compiler.schema.balance import BalanceConfig
from task_engine.compiler.schema.base import Form
from task_engine.compiler.schema.block import BlockConfig
from task_engine.compiler.schema.branch import BranchConfig
from task_engine.compiler.schema.contract import ContractReadConfig, ContractWriteConfig
from task_engine.compiler.schema.cron import CronConfig
from task_engine.compiler.schema.custom_code import CustomCodeConfig
from task_engine.compiler.schema.eth_transfer import EthTransferConfig
from task_engine.compiler.schema.event import EventConfig
from task_engine.compiler.schema.filter import FilterConfig
from task_engine.compiler.schema.fixed_time import FixedTimeConfig
from task_engine.compiler.schema.graphql_query import GraphqlQueryConfig
from task_engine.compiler.schema.loop import LoopConfig
from task_engine.compiler.schema.manual import ManualConfig
from task_engine.compiler.schema.rest_api import RestApiConfig
from task_engine.model.node import NodeType
from task_engine.model.trigger import TriggerType

TRIGGER_FORMS: dict[TriggerType, type[Form]] = {
    TriggerType.MANUAL: ManualConfig,
    TriggerType.FIXED_TIME: FixedTimeConfig,
    TriggerType.CRON: CronConfig,
    TriggerType.BLOCK: BlockConfig,
    TriggerType.EVENT: EventConfig,
}
NODE_FORMS: dict[NodeType, type[Form]] = {
    NodeType.REST_API: RestApiConfig,
    NodeType.GRAPHQL_QUERY: GraphqlQueryConfig,
    NodeType.CUSTOM_CODE: CustomCodeConfig,
    NodeType.BRANCH: BranchConfig,
    NodeType.FILTER: FilterConfig,
    NodeType.LOOP: LoopConfig,
    NodeType.CONTRACT_READ: ContractReadConfig,
    NodeType.CONTRACT_WRITE: ContractWriteConfig,
    NodeType.ETH_TRANSFER: EthTransferConfig,
    NodeType.BALANCE: BalanceConfig,
    NodeType.AWAIT: AwaitConfig,
}
_TYPES = {
    **{kind.value: kind for kind in NodeType},
    "graphql": NodeType.GRAPHQL_QUERY,
    "graphqlDataQuery": NodeType.GRAPHQL_QUERY,
}
_TRIGGER_TYPES = {kind.value: kind for kind in TriggerType}
RUNNER_TYPES = frozenset(
    {
        NodeType.REST_API,
        NodeType.GRAPHQL_QUERY,
        NodeType.CUSTOM_CODE,
        NodeType.CONTRACT_READ,
        NodeType.CONTRACT_WRITE,
        NodeType.ETH_TRANSFER,
    }
)


def node_type_of(word: object) -> NodeType | None:
    """The type for a word of the wire, None when there is none."""
    return _TYPES.get(word) if isinstance(word, str) else None


def trigger_type_of(word: object) -> TriggerType | None:
    """The type for a word of the wire, None when there is none."""
    return _TRIGGER_TYPES.get(word) if isinstance(word, str) else None
