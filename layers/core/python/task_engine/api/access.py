"""Who may use a route."""

from __future__ import annotations

from enum import StrEnum


class Access(StrEnum):
    """`partner` means the assertion in X-Partner-Assertion; `owner alone` refuses one, whatever
    it says: nobody else may sign for the owner's grants. `operator` means a request that an
    operator has signed."""

    PUBLIC = "public"
    OWNER = "owner"
    OWNER_ALONE = "owner alone"
    OWNER_OR_PARTNER = "owner or partner"
    PARTNER = "partner"
    OPERATOR = "operator"
