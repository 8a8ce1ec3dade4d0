"""The writing side of secrets."""

from __future__ import annotations

from task_engine.aws.dynamo import Delete, Dynamo, Query, Update
from task_engine.aws.items import Item
from task_engine.aws.page_range import PageRange
from task_engine.aws.secret_reader import secret_context, secret_key
from task_engine.aws.vault import Vault
from task_engine.config import Settings
from task_engine.model.paging import Page, PageRequest, page_of
from task_engine.model.secret import SecretInfo, SecretScope


class SecretRepository:
    """Implements Secrets."""

    def __init__(self, dynamo: Dynamo, vault: Vault, settings: Settings) -> None:
        self._dynamo = dynamo
        self._vault = vault
        self._settings = settings

    def put(
        self, owner: str, scope: SecretScope, task_id: str, name: str, value: str, now_ms: int
    ) -> bool:
        """Encrypted before it is written."""
        key = secret_key(scope, task_id, name)
        update = Update(
            self._table,
            {"owner": owner, "sk": key},
            "SET #ciphertext = :ciphertext, #updatedAt = :now, "
            "#createdAt = if_not_exists(#createdAt, :now)",
            {
                "ciphertext": self._vault.encrypt(value, secret_context(owner, key, name)),
                "now": now_ms,
            },
        )
        return not self._dynamo.update(update, "ALL_OLD")

    def page(self, owner: str, task_id: str | None, page: PageRequest) -> Page[SecretInfo]:
        """Ascending by key; of one task, or all."""
        prefix = f"workflow#{task_id}#" if task_id else ""
        span = PageRange(page, prefix, newest_first=False)
        query = Query(
            self._table,
            "#owner = :owner AND #sk BETWEEN :low AND :high",
            {"owner": owner, "low": span.low, "high": span.high},
            projection=("sk", "createdAt", "updatedAt"),
            descending=span.descending,
            consistent=True,
            limit=span.reads,
        )
        items, more = span.cut(self._dynamo.rows(query), "sk")
        return page_of(page, [_info(item) for item in items], more, _key_of)

    def delete(self, owner: str, scope: SecretScope, task_id: str, name: str) -> bool:
        """True when there was one."""
        key = {"owner": owner, "sk": secret_key(scope, task_id, name)}
        return self._dynamo.delete(Delete(self._table, key))

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_SECRETS")


def _info(item: Item) -> SecretInfo:
    scope, _, rest = str(item["sk"]).partition("#")
    task_id, _, name = rest.partition("#") if scope == "workflow" else ("", "", rest)
    return SecretInfo(
        name=name,
        scope=SecretScope(scope),
        task_id=task_id,
        created_at=item["createdAt"],
        updated_at=item["updatedAt"],
    )


def _key_of(info: SecretInfo) -> str:
    return secret_key(info.scope, info.task_id, info.name)
