"""What a local stage promises to the machine that it runs on."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

import pytest
from task_engine.model.chain_setting import parse_chains

from infra_cdk.local.contracts import DevelopmentNode, canonical_deployments
from infra_cdk.local.deployer import deploy
from infra_cdk.local.settings import LocalSettings, chain_urls
from infra_cdk.local.stage import LocalStage, start_stage, update_stage
from infra_cdk.local.waiting import wait_until

pytestmark = pytest.mark.deployed


def _quiet(_: str) -> None:
    """Progress nobody reads."""


def test_it_listens_on_loopback_only(stage: LocalStage) -> None:
    # Given the emulator's port, open on 127.0.0.1
    port = urlsplit(stage.aws.endpoint).port
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    # When it is asked for by another address of this machine, then nobody answers
    with pytest.raises(OSError, match=r"refused|timed out|unreachable|assign"):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_its_endpoint_names_what_a_client_needs(stage: LocalStage) -> None:
    endpoint = stage.endpoint()
    assert set(endpoint) == {"baseUrl", "awsEndpoint", "chains", "pids"}
    assert str(endpoint["baseUrl"]).startswith(str(endpoint["awsEndpoint"]))
    assert str(endpoint["baseUrl"]).endswith("/api/v1")


def test_it_has_the_two_test_chains_with_what_wallets_need(stage: LocalStage) -> None:
    # Given the chains that the stage tells of
    urls = stage.endpoint()["chains"]
    assert isinstance(urls, dict)
    assert set(urls) == {"11155111", "84532"}
    for chain_id, url in urls.items():
        # When they are asked, then they are what they are called, on loopback, with the contracts
        assert url.startswith("http://127.0.0.1:")
        node = DevelopmentNode(url)
        assert node.call("eth_chainId") == hex(int(chain_id))
        for deployment in canonical_deployments().values():
            assert node.has_code(deployment.address)


def test_the_functions_are_told_where_the_chains_are(stage: LocalStage) -> None:
    # Given every function that is told about chains
    functions = stage.aws.client("lambda").list_functions()["Functions"]
    told = [
        variables["TASK_ENGINE_CHAINS"]
        for function in functions
        if "TASK_ENGINE_CHAINS" in (variables := function["Environment"]["Variables"])
    ]
    # Then all of them know the URLs of this start
    assert len(told) >= 5
    [text] = set(told)
    known = {str(chain.id): chain.rpc_urls[0] for chain in parse_chains(text).values()}
    assert known == stage.endpoint()["chains"]


def test_guards_expire_and_tables_can_be_recovered(stage: LocalStage) -> None:
    # Given
    dynamodb = stage.aws.client("dynamodb")
    guards = stage.outputs["task-engine-local-stateful"]["TableGuards"]
    tables = dynamodb.list_tables()["TableNames"]
    # When
    expiry = dynamodb.describe_time_to_live(TableName=guards)["TimeToLiveDescription"]
    backups = [
        dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        for table in tables
    ]
    # Then
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"}
    assert len(tables) == 9
    assert {
        backup["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] for backup in backups
    } == {"ENABLED"}


def test_a_second_stage_neither_disturbs_nor_outlives_the_first(stage: LocalStage) -> None:
    # Given a second stage beside the one of this run
    settings = LocalSettings.for_own_stage()
    name = f"second-{os.getpid()}"
    second = start_stage(settings, name, _quiet)
    processes = list(second.record.processes.values())
    try:
        assert second.aws.endpoint != stage.aws.endpoint
        # When what did not change is deployed again, then the address stays
        again = update_stage(settings, name, _quiet)
        assert again is not None
        assert again.base_url == second.base_url
    finally:
        second.stop()
    # Then the second one is gone with all its state, the first one still answers
    assert wait_until(lambda: not any(p.alive() for p in processes), "its end", 10)
    assert not second.directory.exists()
    assert update_stage(settings, name, _quiet) is None
    assert stage.aws.client("sqs").list_queues()["QueueUrls"]


def test_an_unchanged_assembly_uploads_nothing(stage: LocalStage) -> None:
    # Given what is in the buckets
    s3 = stage.aws.client("s3")
    before = s3.list_objects_v2(Bucket="task-engine-assets")["Contents"]
    # When
    outputs = deploy(stage.aws, stage.cloud, _quiet, chain_urls(stage.record.chains))
    # Then
    assert outputs == stage.outputs
    assert s3.list_objects_v2(Bucket="task-engine-assets")["Contents"] == before
