"""The DynamoDB operations that the repositories need, on plain Python values."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from task_engine.aws.items import Item, from_item, to_attribute, to_item
from task_engine.aws.wire import AwsClient
from task_engine.errors import ConditionFailed, Unavailable

_BATCH_TRIES = 6
_BATCH_KEYS = 100


@dataclass(frozen=True, slots=True)
class Update:
    """One item's change: an update expression with its condition; values are named `:name`, every
    attribute is written as `#name`, so that no reserved word matters."""

    table: str
    key: Mapping[str, object]
    expression: str
    values: Mapping[str, object] = field(default_factory=dict)
    condition: str = ""

    def parameters(self) -> dict[str, Any]:
        """The operation's parameters."""
        return {
            "TableName": self.table,
            "Key": to_item(self.key),
            "UpdateExpression": self.expression,
            **_conditional(self.condition, self.values, self.expression),
        }


@dataclass(frozen=True, slots=True)
class Put:
    """A whole item, unless the condition fails."""

    table: str
    item: Mapping[str, object]
    condition: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """The operation's parameters."""
        return {
            "TableName": self.table,
            "Item": to_item(self.item),
            **_conditional(self.condition, self.values),
        }


@dataclass(frozen=True, slots=True)
class Delete:
    """An item's removal, unless the condition fails."""

    table: str
    key: Mapping[str, object]
    condition: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """The operation's parameters."""
        return {
            "TableName": self.table,
            "Key": to_item(self.key),
            **_conditional(self.condition, self.values),
        }


@dataclass(frozen=True, slots=True)
class Query:
    """Items of one partition, in the order of their range key; those after the key `start`."""

    table: str
    condition: str
    values: Mapping[str, object]
    index: str = ""
    filter: str = ""
    projection: tuple[str, ...] = ()
    descending: bool = False
    consistent: bool = False
    limit: int = 0
    start: Mapping[str, object] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """The operation's parameters."""
        projection = ", ".join(f"#{name}" for name in self.projection)
        names = _names(f"{self.condition} {self.filter} {projection}")
        given = {
            "IndexName": self.index,
            "FilterExpression": self.filter,
            "ProjectionExpression": projection,
            "Limit": self.limit,
            "ExclusiveStartKey": to_item(self.start),
        }
        return {
            "TableName": self.table,
            "KeyConditionExpression": self.condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": _values(self.values),
            "ScanIndexForward": not self.descending,
            "ConsistentRead": self.consistent,
            **{key: value for key, value in given.items() if value},
        }


class Dynamo:
    """Each method is one call, but for `rows` (a call a page) and unfinished batches."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def get(self, table: str, key: Mapping[str, object], *, consistent: bool = True) -> Item | None:
        """The item or None."""
        parameters = {"TableName": table, "Key": to_item(key), "ConsistentRead": consistent}
        found = self._client.call("GetItem", parameters).get("Item")
        return None if found is None else from_item(found)

    def batch_get(
        self,
        keys: Mapping[str, Sequence[Mapping[str, object]]],
        projection: tuple[str, ...] = (),
    ) -> dict[str, list[Item]]:
        """Items by table, consistently read, a call for each 100 keys; absent ones are left out.
        Keys must be different; `projection` names the attributes to read, () = all."""
        fields = ", ".join(f"#{name}" for name in projection)
        shape: dict[str, Any] = {"ConsistentRead": True}
        if fields:
            shape |= {"ProjectionExpression": fields, "ExpressionAttributeNames": _names(fields)}
        pairs = [(table, to_item(key)) for table, some in keys.items() for key in some]
        found: dict[str, list[Item]] = {table: [] for table in keys}
        for start in range(0, len(pairs), _BATCH_KEYS):
            wanted: dict[str, Any] = {}
            for table, key in pairs[start : start + _BATCH_KEYS]:
                wanted.setdefault(table, {**shape, "Keys": []})["Keys"].append(key)
            self._read_batch(wanted, found)
        return found

    def _read_batch(self, wanted: dict[str, Any], found: dict[str, list[Item]]) -> None:
        for attempt in range(_BATCH_TRIES):
            answer = self._client.call("BatchGetItem", {"RequestItems": wanted})
            for table, items in answer.get("Responses", {}).items():
                found[table].extend(from_item(item) for item in items)
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        raise Unavailable("the tables are throttled")

    def put(self, put: Put) -> None:
        """Raises ConditionFailed."""
        self._client.call("PutItem", put.parameters())

    def update(self, update: Update, returning: str = "NONE") -> Item:
        """Values as `returning` says (ALL_OLD, ALL_NEW); raises ConditionFailed with the item that
        stands there."""
        parameters = {
            **update.parameters(),
            "ReturnValues": returning,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            answer = self._client.call("UpdateItem", parameters)
        except ConditionFailed as error:
            item = None if error.item is None else from_item(error.item)
            raise ConditionFailed(error.message, item) from error
        return from_item(answer.get("Attributes") or {})

    def delete(self, delete: Delete) -> bool:
        """Whether there was such an item."""
        answer = self._client.call("DeleteItem", {**delete.parameters(), "ReturnValues": "ALL_OLD"})
        return bool(answer.get("Attributes"))

    def batch_delete(self, table: str, keys: Sequence[Mapping[str, object]]) -> None:
        """Remove many items, 25 a call; absent ones are no error."""
        for start in range(0, len(keys), 25):
            requests = [
                {"DeleteRequest": {"Key": to_item(key)}} for key in keys[start : start + 25]
            ]
            self._delete_batch({table: requests})

    def _delete_batch(self, wanted: dict[str, Any]) -> None:
        for attempt in range(_BATCH_TRIES):
            answer = self._client.call("BatchWriteItem", {"RequestItems": wanted})
            wanted = answer.get("UnprocessedItems") or {}
            if not wanted:
                return
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        raise Unavailable("the tables are throttled")

    def transact(self, writes: Sequence[Put | Update | Delete]) -> None:
        """All or nothing; raises TransactionCanceled, whose items stand where conditions failed.
        Its token makes a repeat after a lost answer succeed without writing again."""
        items = [
            {
                type(write).__name__: {
                    **write.parameters(),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }
            for write in writes
        ]
        token = os.urandom(16).hex()
        self._client.call(
            "TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token}
        )

    def rows(self, query: Query) -> Iterator[Item]:
        """Items over all pages, read as they are asked for."""
        parameters = query.parameters()
        while True:
            answer = self._client.call("Query", parameters)
            for item in answer.get("Items", []):
                yield from_item(item)
            last = answer.get("LastEvaluatedKey")
            if not last:
                return
            parameters["ExclusiveStartKey"] = last

    def count(self, query: Query) -> int:
        """How many items match, without reading them out."""
        parameters = {**query.parameters(), "Select": "COUNT"}
        total = 0
        while True:
            answer = self._client.call("Query", parameters)
            total += int(answer.get("Count", 0))
            last = answer.get("LastEvaluatedKey")
            if not last:
                return total
            parameters["ExclusiveStartKey"] = last


def _conditional(
    condition: str, values: Mapping[str, object], expression: str = ""
) -> dict[str, Any]:
    """Condition, names and values of a write; what is empty may not be sent."""
    given = {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": _names(f"{expression} {condition}"),
        "ExpressionAttributeValues": _values(values),
    }
    return {key: value for key, value in given.items() if value}


def _values(values: Mapping[str, object]) -> dict[str, Any]:
    return {f":{name}": to_attribute(value) for name, value in values.items()}


def _names(text: str) -> dict[str, str]:
    """`#name` → name for every placeholder in an expression."""
    names: dict[str, str] = {}
    for part in text.split("#")[1:]:
        end = 0
        while end < len(part) and (part[end].isalnum() or part[end] == "_"):
            end += 1
        names[f"#{part[:end]}"] = part[:end]
    return names
