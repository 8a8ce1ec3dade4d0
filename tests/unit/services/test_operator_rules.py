"""Whom a deployment listens to."""

from __future__ import annotations

import pytest
from task_engine.model.ballot import Ballot
from task_engine.services.operator_rules import operator_rules

OWN = "0x5d5c99EdF529335160FF180fA141Dd4967fc00D2"
LISTED = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
NOBODY = "0x4F3a120E72C76c22ae802D129F599BFDbc31cb81"


@pytest.mark.parametrize(
    ("setting", "own", "heard"),
    [
        ("", OWN, {OWN}),
        ("", "", set()),
        (f" {LISTED.lower()} , ", OWN, {OWN, LISTED}),
        (f"{LISTED},{NOBODY}", "", {LISTED, NOBODY}),
        ("*", "", {OWN, LISTED, NOBODY}),
    ],
)
def test_the_own_operator_the_listed_ones_or_anybody(
    setting: str, own: str, heard: set[str]
) -> None:
    rules = operator_rules(setting, lambda: own)
    assert {address for address in (OWN, LISTED, NOBODY) if rules.allows(address)} == heard
    assert rules.allows("") == (setting == "*")


def test_a_listed_operator_costs_no_question_for_the_own_key() -> None:
    def asked() -> str:
        raise AssertionError("the key was asked for")

    assert operator_rules(LISTED, asked).allows(LISTED)


def test_a_ballot_has_one_winner_whoever_counts() -> None:
    votes = {"0xb": frozenset("12"), "0xa": frozenset("34"), "0xc": frozenset("567")}
    assert Ballot(votes).winner(3) == "0xc"
    assert Ballot(votes).winner(4) is None
    tied = {digest: who for digest, who in votes.items() if digest != "0xc"}
    assert Ballot(tied).winner(2) == "0xa"
    assert Ballot(votes, own="0xa").others() == frozenset("12567")
