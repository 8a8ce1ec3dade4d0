"""Records of smart wallets."""

from __future__ import annotations

from dataclasses import replace

from task_engine.aws.dynamo import Dynamo, Put, Query, Update
from task_engine.aws.items import Item
from task_engine.config import Settings
from task_engine.errors import ConditionFailed, NotFound, QuotaExceeded
from task_engine.model.wallet import Wallet


class WalletRepository:
    """Implements Wallets."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def get(self, owner: str, chain_id: int, address: str) -> Wallet | None:
        """One read."""
        item = self._dynamo.get(self._table, _key(owner, chain_id, address))
        return None if item is None else _wallet(item)

    def find(self, owner: str, address: str) -> Wallet | None:
        """On any chain."""
        wanted = f"#{address}"
        for item in self._dynamo.rows(Query(self._table, "#owner = :owner", {"owner": owner})):
            if str(item["sk"]).endswith(wanted):
                return _wallet(item)
        return None

    def of_owner(self, owner: str, chain_id: int) -> list[Wallet]:
        """Sorted by salt as text."""
        found = [_wallet(item) for item in self._dynamo.rows(self._of(owner, chain_id))]
        return sorted(found, key=lambda wallet: wallet.salt)

    def put(self, wallet: Wallet, max_per_chain: int) -> bool:
        """True when new. Two at once may pass the bound together: it guards against mass, not
        against one too many."""
        if self.get(wallet.owner, wallet.chain_id, wallet.address) is not None:
            return False
        if self._dynamo.count(self._of(wallet.owner, wallet.chain_id)) >= max_per_chain:
            raise QuotaExceeded(f"an owner may have {max_per_chain} wallets a chain")
        item = {
            **_key(wallet.owner, wallet.chain_id, wallet.address),
            "salt": wallet.salt,
            "factory": wallet.factory,
            "hidden": wallet.hidden,
        }
        try:
            self._dynamo.put(Put(self._table, item, "attribute_not_exists(#sk)"))
        except ConditionFailed:
            return False
        return True

    def set_hidden(self, wallet: Wallet, hidden: bool) -> Wallet:
        """Raises NotFound when there is no such record."""
        update = Update(
            self._table,
            _key(wallet.owner, wallet.chain_id, wallet.address),
            "SET #hidden = :hidden",
            {"hidden": hidden},
            "attribute_exists(#sk)",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed as error:
            raise NotFound("no such wallet", code="WALLETS_NOT_FOUND") from error
        return replace(wallet, hidden=hidden)

    def _of(self, owner: str, chain_id: int) -> Query:
        return Query(
            self._table,
            "#owner = :owner AND begins_with(#sk, :chain)",
            {"owner": owner, "chain": f"{chain_id}#"},
            consistent=True,
        )

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_WALLETS")


def _key(owner: str, chain_id: int, address: str) -> dict[str, object]:
    return {"owner": owner, "sk": f"{chain_id}#{address}"}


def _wallet(item: Item) -> Wallet:
    chain, _, address = str(item["sk"]).partition("#")
    return Wallet(
        owner=item["owner"],
        chain_id=int(chain),
        address=address,
        factory=item["factory"],
        salt=item["salt"],
        hidden=item["hidden"],
    )
