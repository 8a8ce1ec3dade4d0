"""How much a run may ask of chains."""

from __future__ import annotations

import pytest
from task_engine.call_budget import CallBudget
from task_engine.errors import NodeError


def test_what_does_not_fit_is_refused_and_not_counted() -> None:
    # Given a budget of three of which two are spent
    budget = CallBudget(3)
    budget.spend(2)
    # When two more are wanted, then they are refused
    with pytest.raises(NodeError, match="2 more calls of chains are too many: 1 of 3") as caught:
        budget.spend(2)
    assert (caught.value.stable_code, caught.value.may_retry) == ("QUOTA_EXCEEDED", False)
    # And the last one is still there
    budget.spend(1)
    with pytest.raises(NodeError, match="0 of 3 are left"):
        budget.spend(1)
