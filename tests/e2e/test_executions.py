"""Executions as the API shows them."""

from __future__ import annotations

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import branch, code, loop, rest
from tests.e2e.engine import Deployment, count_of, one_node, statuses, task_of

pytestmark = pytest.mark.deployed


def test_pages_counts_and_statistics(api: ApiClient) -> None:
    good = api.create_task(one_node())["id"]
    bad = api.create_task(one_node("throw new Error('no')"))["id"]
    for _ in range(3):
        api.trigger(good, blocking=True)
    assert api.trigger(bad, blocking=True)["status"] == "failed"
    flat = api.get("/executions", workflowId=[good, bad], limit=3)
    assert len(flat["data"]) == 3
    rest_of_it = api.get(
        "/executions", workflowId=[good, bad], limit=3, after=flat["pageInfo"]["endCursor"]
    )
    ids = [row["id"] for row in flat["data"] + rest_of_it["data"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 4
    assert (count_of(api, good), api.get("/executions:count")["total"]) == (3, 4)
    stats = api.get("/executions:stats")
    assert (stats["total"], stats["succeeded"], stats["failed"]) == (4, 3, 1)
    assert stats["avgExecutionTime"] > 0
    assert api.request("GET", "/executions").status == 400


def test_indexes_count_all_runs_of_a_task(api: ApiClient) -> None:
    task = api.create_task(one_node())["id"]
    first = api.trigger(task, blocking=True)["executionId"]
    second = api.trigger(task, blocking=False)["executionId"]
    assert api.finished(task, second)["index"] == 1
    assert api.execution(task, first)["index"] == 0


def test_unknown_executions_are_not_found(api: ApiClient) -> None:
    task = api.create_task(one_node())["id"]
    for path in ("01k9zq3v7d2m4n6p8r0t2w4y6z", "nonsense"):
        answer = api.request("GET", f"/executions/{path}", query={"workflowId": task})
        assert answer.status == 404
    assert api.request("GET", "/executions/01k9zq3v7d2m4n6p8r0t2w4y6z").status == 400


def test_an_output_of_megabytes_goes_through_the_blob_store(
    api: ApiClient, stage: LocalStage
) -> None:
    # Random digits don't compress below the bound for inline outputs.
    source = (
        "let s = ''; const n = new Uint32Array(1024); "
        "for (let i = 0; i < 400; i++) { crypto.getRandomValues(n.subarray(0, 64)); "
        "for (let j = 0; j < 1000; j++) s += Math.random().toString(36).slice(2); } return s"
    )
    nodes = [code("big", source), code("after", "return big.data.length")]
    task = api.create_task(task_of(nodes, [("t", "big"), ("big", "after")]))["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    shown = api.execution(task, execution)
    assert shown["status"] == "success", shown.get("error")
    length = shown["steps"][2]["output"]["data"]
    assert length > 2_000_000
    assert len(shown["steps"][1]["output"]["data"]) == length
    bucket = Deployment(stage).output("BlobBucket")
    listed = stage.aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"steps/{execution}/")
    assert listed["KeyCount"] == 1


def test_three_hundred_requests_in_chunks_are_three_hundred(
    api: ApiClient, http_server: HttpServer
) -> None:
    nodes = [
        code("items", "return Array.from({length: 300}, (_, i) => i)"),
        loop(
            "each",
            "{{items.data}}",
            rest("r", f"{http_server.url}/count/loop-{{{{value}}}}", method="POST"),
            executionMode="parallel",
        ),
    ]
    task = api.create_task(task_of(nodes, [("t", "items"), ("items", "each")]))["id"]
    execution = api.trigger(task, blocking=False)["executionId"]
    shown = api.finished(task, execution)
    assert shown["status"] == "success", shown.get("error")
    assert [item["key"] for item in shown["steps"][2]["output"]["data"]] == [
        f"loop-{i}" for i in range(300)
    ]
    assert {http_server.count(f"loop-{i}") for i in range(300)} == {1}


def test_a_run_that_skips_names_what_it_skipped(api: ApiClient) -> None:
    nodes = [branch("choose", ("no", "if", "false")), code("never", "return 1")]
    task = api.create_task(task_of(nodes, [("t", "choose"), ("choose.no", "never")]))["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    shown = api.execution(task, execution)
    assert shown["status"] == "success"
    assert [step["name"] for step in shown["steps"][1:]] == ["choose"]


def test_a_burst_of_background_runs_all_end(api: ApiClient) -> None:
    task = api.create_task(one_node())["id"]
    for _ in range(20):
        api.trigger(task, blocking=False)
    wait_until(lambda: statuses(api, task) == ["success"] * 20, "twenty runs", 60)
