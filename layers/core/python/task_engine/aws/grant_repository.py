"""Grants of wallets, beside the wallets' records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from task_engine.aws.dynamo import Dynamo, Put, Query, Update
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.items import Item
from task_engine.config import Settings
from task_engine.errors import ConditionFailed, Conflict
from task_engine.model.grant import Grant, GrantStatus, Permission, SpendCap


class GrantRepository:
    """Implements Grants."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def of_wallet(self, owner: str, chain_id: int, wallet: str) -> list[Grant]:
        """Newest first."""
        query = Query(
            self._table,
            "#owner = :owner AND begins_with(#sk, :wallet)",
            {"owner": owner, "wallet": _prefix(chain_id, wallet)},
            descending=True,
            consistent=True,
        )
        return [_grant(item) for item in self._dynamo.rows(query)]

    def active(self, owner: str, chain_id: int, wallet: str) -> Grant | None:
        """The one that the controller may use; whether its time is over is not looked at."""
        for grant in self.of_wallet(owner, chain_id, wallet):
            if grant.status is GrantStatus.ACTIVE:
                return grant
        return None

    def put(self, grant: Grant, supersedes: tuple[Grant, ...]) -> Grant:
        """One transaction; raises Conflict."""
        writes: list[Put | Update] = [
            Put(self._table, _item(grant), "attribute_not_exists(#sk)"),
            *(self._status_update(each, GrantStatus.REVOKED) for each in supersedes),
        ]
        try:
            self._dynamo.transact(writes)
        except TransactionCanceled as error:
            raise _taken() from error
        return grant

    def set_status(self, grant: Grant, status: GrantStatus) -> Grant:
        """One conditional write; raises Conflict."""
        try:
            self._dynamo.update(self._status_update(grant, status))
        except ConditionFailed as error:
            raise Conflict("the policy changed meanwhile", code="POLICIES_CONFLICT") from error
        return replace(grant, status=status)

    def _status_update(self, grant: Grant, status: GrantStatus) -> Update:
        return Update(
            self._table,
            _key(grant),
            "SET #status = :status",
            {"status": status.value, "before": grant.status.value},
            "#status = :before",
        )

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_WALLETS")


def _taken() -> Conflict:
    return Conflict(
        "another policy was submitted meanwhile: prepare this one again",
        code="POLICIES_ENTITY_TAKEN",
    )


def _prefix(chain_id: int, wallet: str) -> str:
    return f"policy#{chain_id}#{wallet}#"


def _key(grant: Grant) -> dict[str, object]:
    return {
        "owner": grant.owner,
        "sk": f"{_prefix(grant.chain_id, grant.wallet)}{grant.entity_id:010d}",
    }


def _item(grant: Grant) -> dict[str, object]:
    cap = grant.erc20_cap
    return {
        **_key(grant),
        "id": grant.id,
        "wallet": grant.wallet,
        "chainId": grant.chain_id,
        "entityId": grant.entity_id,
        "signer": grant.signer,
        "validAfter": grant.valid_after,
        "validUntil": grant.valid_until,
        "epoch": str(grant.epoch),
        # A number of DynamoDB has 38 digits, wei may have 78.
        "permissions": [[p.target, p.selector, str(p.max_value)] for p in grant.permissions],
        "cap": [cap.token, str(cap.amount)] if cap else None,
        "gasCap": None if grant.gas_cap is None else str(grant.gas_cap),
        "agentLabel": grant.agent_label,
        "justification": grant.justification,
        "status": grant.status.value,
        "signature": grant.signature,
        "createdAt": grant.created_at,
    }


def _grant(item: Item) -> Grant:
    cap: Any = item["cap"]
    # Grants that were signed before there were gas caps have none.
    gas_cap = item.get("gasCap")
    return Grant(
        id=item["id"],
        owner=item["owner"],
        wallet=item["wallet"],
        chain_id=item["chainId"],
        entity_id=item["entityId"],
        signer=item["signer"],
        valid_after=item["validAfter"],
        valid_until=item["validUntil"],
        epoch=int(item["epoch"]),
        permissions=tuple(
            Permission(target, selector, int(value))
            for target, selector, value in item["permissions"]
        ),
        erc20_cap=SpendCap(cap[0], int(cap[1])) if cap else None,
        gas_cap=None if gas_cap is None else int(gas_cap),
        agent_label=item["agentLabel"],
        justification=item["justification"],
        status=GrantStatus(item["status"]),
        signature=item["signature"],
        created_at=item["createdAt"],
    )
