"""Votes of operators on what they say has happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ballot:
    """All votes on one notice: who voted for which digest of its data, each operator once.

    `own` is the digest that the last voter's vote stands for, `fresh` whether that vote is new.
    """

    votes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    own: str = ""
    fresh: bool = False

    def winner(self, quorum: int) -> str | None:
        """The digest that enough operators agree on; the one with most votes, the smaller of
        equals, so that it is the same to whoever counts."""
        enough = [(-len(who), digest) for digest, who in self.votes.items() if len(who) >= quorum]
        return min(enough)[1] if enough else None

    def others(self) -> frozenset[str]:
        """Who voted otherwise than the last voter."""
        return frozenset(
            voter for digest, who in self.votes.items() if digest != self.own for voter in who
        )
