"""Hostile counterparts and hostile scripts end their own step, soon and with a reason."""

from __future__ import annotations

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from tests.cases.case import branch, code, graphql, loop, rest
from tests.e2e.engine import Json, one_node, task_of

pytestmark = pytest.mark.deployed


def failures(api: ApiClient, nodes: list[Json]) -> dict[str, str]:
    """Errors by node; all nodes hang on one that works, and another follows them all."""
    first, last = code("first", "return [1, 2, 3]"), code("last", "return 'still here'")
    ids = [node["id"] for node in nodes]
    edges = [("t", "first"), *(("first", i) for i in ids), *((i, "last") for i in ids)]
    task = api.create_task(task_of([first, *nodes, last], edges))["id"]
    execution = api.finished(task, api.trigger(task, blocking=False)["executionId"], 100)
    steps = {step["id"]: step for step in execution["steps"]}
    assert steps["last"]["output"]["data"] == "still here"
    assert execution["status"] == "failed"
    assert set(steps) == {"t", "first", "last", *ids}
    return {node["id"]: str(steps[node["id"]].get("error", "")) for node in nodes}


def test_hostile_http_servers(
    api: ApiClient, http_server: HttpServer, graphql_server: GraphqlServer
) -> None:
    at = http_server.url
    errors = failures(
        api,
        [
            rest("metadata", "http://169.254.169.254/latest/meta-data"),
            rest("byRedirect", f"{at}/redirect?to=http://169.254.169.254/latest"),
            rest("inHex", "http://0xa9fea9fe/latest"),
            rest("private", "http://10.0.0.1/"),
            rest("endless", f"{at}/endless"),
            rest("bomb", f"{at}/gzip-bomb"),
            rest("broken", f"{at}/bad-gzip"),
            rest("cut", f"{at}/cut"),
            rest("dropped", f"{at}/drop"),
            rest("around", f"{at}/bounce/50"),
            rest("refused", "http://127.0.0.1:1/"),
            rest("file", "{{'file:///etc/passwd'}}"),
            graphql("html", f"{graphql_server.url}/html", "{ hello }"),
        ],
    )
    assert all(errors.values()), errors
    assert not [name for name, text in errors.items() if "Traceback" in text or len(text) > 500]


def test_hostile_scripts(api: ApiClient) -> None:
    errors = failures(
        api,
        [
            code("memory", "const a = []; for (;;) a.push(new Array(100000).fill(a.length))"),
            code("depth", "const f = () => f() + 1; return f()"),
            code("jobs", "const f = () => Promise.resolve().then(f); return f()"),
            branch("loops", ("c", "if", "(() => { for (;;) {} })()")),
            branch("regex", ("c", "if", "/^(a+)+$/.test('a'.repeat(40) + '!')")),
            rest("template", "http://127.0.0.1/{{(() => { for (;;) {} })()}}"),
            loop("each", "{{first.data}}", code("x", "throw new Error('item ' + value)")),
        ],
    )
    assert all(errors.values()), errors


def test_a_promise_that_nothing_keeps_is_null(api: ApiClient) -> None:
    task = api.create_task(one_node("return new Promise(() => {})"))["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    assert api.execution(task, execution)["steps"][1]["output"]["data"] is None
