"""The http server of the local stage, for tests."""

from __future__ import annotations

from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.servers.loopback import run_from_command_line

__all__ = ["HttpServer"]

if __name__ == "__main__":
    run_from_command_line(HttpServer)
