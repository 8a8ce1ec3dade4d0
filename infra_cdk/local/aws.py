"""boto3 clients against the local endpoint, with credentials that mean nothing anywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from infra_cdk.local.settings import REGION

ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Clients by service name, made when first used."""

    endpoint: str
    _made: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:  # noqa: ANN401 - one class per service
        """The boto3 client of `service`; calls never leave the endpoint (no proxy, no prefix)."""
        if service not in self._made:
            self._made[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 - the emulator accepts any
                config=Config(
                    proxies={},
                    inject_host_prefix=False,
                    read_timeout=60,
                    retries={"max_attempts": 2},
                    s3={"addressing_style": "path"},
                ),
            )
        return self._made[service]
