"""Taking a name for some time, by one conditional write."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo, Update
from task_engine.errors import ConditionFailed


def take_name(dynamo: Dynamo, table: str, name: str, holder: str, times: tuple[int, int]) -> bool:
    """Whether `holder` has the name now; `times` are now and until when, in epoch seconds.

    DynamoDB's TTL deletes late: what is past its time counts as gone. A name found taken by this
    very holder is its own: the answer of the first try was lost on the way.
    """
    now, until = times
    update = Update(
        table,
        {"name": name},
        "SET #expiresAt = :until, #holder = :holder",
        {"until": until, "holder": holder, "now": now},
        "attribute_not_exists(#name) OR #expiresAt < :now",
    )
    try:
        dynamo.update(update)
    except ConditionFailed as error:
        return (error.item or {}).get("holder") == holder
    return True
