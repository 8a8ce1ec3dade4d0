"""Parts of the checks, when several operators share them."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.errors import ConfigurationError

MOST_SHARDS = 1000


@dataclass(frozen=True, slots=True)
class Shard:
    """The part `index` (from 0) of what is shared out among `count`; people write `2/3` for the
    second of three."""

    index: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"{self.index + 1}/{self.count}"


WHOLE = Shard()


def read_shard(text: str) -> Shard | None:
    """The shard that is written so, None for anything else."""
    number, _, count = text.partition("/")
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in (number, count)):
        return None
    if not 1 <= int(number) <= int(count) <= MOST_SHARDS:
        return None
    return Shard(int(number) - 1, int(count))


def shard_setting(text: str) -> Shard:
    """The setting OPERATOR_SHARD, "" = everything; raises ConfigurationError."""
    shard = read_shard(text) if text else WHOLE
    if shard is None:
        raise ConfigurationError("the setting TASK_ENGINE_OPERATOR_SHARD must be of the form 2/3")
    return shard
