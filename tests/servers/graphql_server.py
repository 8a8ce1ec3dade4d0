"""The graphql server of the local stage, for tests."""

from __future__ import annotations

from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.loopback import run_from_command_line

__all__ = ["GraphqlServer"]

if __name__ == "__main__":
    run_from_command_line(GraphqlServer)
