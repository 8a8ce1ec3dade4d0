"""Fixtures of the deployed tests: one local stage for the whole run, started when first used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.permissions import checked
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.stage import LocalStage, start_stage


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest) -> Iterator[LocalStage]:
    """A deployed local stage of this run alone: own port, own state, gone afterwards. Its functions
    may do what their roles allow, and nothing else.

    Its logs stay below `.local/stages/` when a test of the run failed. The run fails at its end
    when a function was refused what it asked for.
    """
    settings = replace(LocalSettings.for_own_stage(), enforce_permissions=True)
    running = start_stage(settings, f"test-{os.getpid()}", progress=lambda _: None)
    yield running
    refused = checked(running.directory, allowed=False)
    running.stop(keep_logs=bool(request.session.testsfailed or refused))
    assert refused == set()


@pytest.fixture
def anonymous(stage: LocalStage) -> ApiClient:
    """A client without a token."""
    return ApiClient(stage.base_url)


@pytest.fixture
def api(anonymous: ApiClient) -> ApiClient:
    """A client signed in as an owner that nobody else uses, with its wallet."""
    return sign_in(anonymous)


@pytest.fixture(scope="session")
def http_server() -> Iterator[HttpServer]:
    """A real HTTP server that nodes may reach."""
    with HttpServer() as server:
        yield server


@pytest.fixture(scope="session")
def graphql_server() -> Iterator[GraphqlServer]:
    """A real GraphQL server that nodes may reach."""
    with GraphqlServer() as server:
        yield server
