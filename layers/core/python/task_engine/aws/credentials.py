"""Credentials of the function's role, as Lambda puts them into the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from task_engine.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Credentials:
    """Access key, secret and session token ("" for long-lived keys)."""

    key: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def from_env(cls) -> Credentials:
        """Read anew for each call: Lambda may renew them. Raises ConfigurationError."""
        try:
            return cls(
                os.environ["AWS_ACCESS_KEY_ID"],
                os.environ["AWS_SECRET_ACCESS_KEY"],
                os.environ.get("AWS_SESSION_TOKEN", ""),
            )
        except KeyError as error:
            raise ConfigurationError("AWS credentials are missing in the environment") from error
