"""Votes of operators, one row for each thing that is voted on."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo, Update
from task_engine.aws.items import Item
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.ballot import Ballot

_DIGEST = "digest_"
_TTL_SECONDS = 7 * 86_400


class VoteRepository:
    """Implements Votes. A row holds the set of its voters, and a set for each digest."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def cast(self, name: str, operator: str, digest: str, now_ms: int) -> Ballot:
        """One write: the vote, unless the operator has one, and how all of them stand then."""
        attribute = f"{_DIGEST}{digest.removeprefix('0x')}"
        update = Update(
            self._settings.name("TABLE_GUARDS"),
            {"name": f"vote#{name}"},
            f"ADD #voters :own, #{attribute} :own SET #expiresAt = :until",
            {
                "own": frozenset({operator}),
                "operator": operator,
                "until": now_ms // 1000 + _TTL_SECONDS,
            },
            "attribute_not_exists(#voters) OR NOT contains(#voters, :operator)",
        )
        try:
            return _ballot(self._dynamo.update(update, "ALL_NEW"), operator, fresh=True)
        except ConditionFailed as error:
            return _ballot(error.item or {}, operator, fresh=False)


def _ballot(item: Item, operator: str, *, fresh: bool) -> Ballot:
    votes = {
        "0x" + name.removeprefix(_DIGEST): frozenset(who)
        for name, who in item.items()
        if name.startswith(_DIGEST)
    }
    own = next((digest for digest, who in votes.items() if operator in who), "")
    return Ballot(votes, own, fresh)
