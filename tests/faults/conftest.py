"""One stage that fails on demand for all fault tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from tests.faults.world import FaultWorld, fault_world


@pytest.fixture(scope="session")
def faulty(
    request: pytest.FixtureRequest, http_server: HttpServer, graphql_server: GraphqlServer
) -> Iterator[FaultWorld]:
    """The stage whose functions do what the control tells them."""
    name, session = f"faults-{os.getpid()}", request.session
    with fault_world(name, http_server, graphql_server, lambda: session.testsfailed) as world:
        yield world


# Ending and starting a whole stage again takes longer than the sample that `make test` does.
collect_ignore = [] if os.environ.get("FAULTS") == "all" else ["test_restart.py"]
