"""Every case, in one process and deployed: the two must show the same."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from tests.cases.case import Case
from tests.cases.deployed import run_deployed
from tests.cases.in_process import run_in_process, servers_of

_NOT_CASES = {"__init__", "case", "deployed", "in_process", "test_cases"}
BEHAVIOURS = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_CASES
)
CASES: dict[str, Case] = {
    f"{behaviour}: {case.name}": case
    for behaviour in BEHAVIOURS
    for case in importlib.import_module(f"tests.cases.{behaviour}").CASES
}


@pytest.mark.parametrize("name", CASES)
def test_in_process(name: str, http_server: HttpServer, graphql_server: GraphqlServer) -> None:
    case = CASES[name]
    case.check(run_in_process(case, servers_of(http_server, graphql_server)))


@pytest.mark.deployed
@pytest.mark.parametrize("name", CASES)
def test_deployed(
    name: str, api: ApiClient, http_server: HttpServer, graphql_server: GraphqlServer
) -> None:
    case = CASES[name]
    case.check(run_deployed(case, servers_of(http_server, graphql_server), api))
