"""What a GraphQL node asks and what it makes of the answer, against a real GraphQL server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.base import Scope
from task_engine.processors.graphql_query import GraphqlQueryProcessor

from tests.servers.graphql_server import GraphqlServer
from tests.servers.http_server import HttpServer


@pytest.fixture(scope="module")
def server() -> Iterator[GraphqlServer]:
    with GraphqlServer() as running:
        yield running


@pytest.fixture(scope="module")
def processor() -> GraphqlQueryProcessor:
    return GraphqlQueryProcessor(SafeHttp(EgressPolicy(["127.0.0.1"]), Limits()))


def ask(url: str | None, query: str | None, **config: JsonValue) -> PlanNode:
    return PlanNode("n1", "ask", NodeType.GRAPHQL_QUERY, {"url": url, "query": query, **config}, 1)


def test_data_of_the_answer_goes_on(
    server: GraphqlServer, processor: GraphqlQueryProcessor
) -> None:
    outcome = processor.run(ask(f"{server.url}/graphql", "{ users(limit: 2) { name } }"), Scope({}))
    assert outcome.error is None
    assert outcome.data == {"users": [{"name": "Ada"}, {"name": "Grace"}]}


def test_url_query_and_variables_are_templates(
    server: GraphqlServer, processor: GraphqlQueryProcessor
) -> None:
    scope = Scope({"path": "graphql", "id": "2", "field": "age", "given": 'a "b"\n'})
    node = ask(
        server.url + "/{{path}}",
        "query ($id: ID!, $name: String) { user(id: $id) { {{field}} } hello(name: $name) }",
        variables={"id": "{{id}}", "name": "{{given}}"},
    )
    outcome = processor.run(node, scope)
    assert outcome.data == {"user": {"age": 45}, "hello": 'Hello, a "b"\n!'}


def test_variables_that_are_no_text_keep_their_type(
    server: GraphqlServer, processor: GraphqlQueryProcessor
) -> None:
    node = ask(server.url, "query ($n: Int) { users(limit: $n) { id } }", variables={"n": 1})
    assert processor.run(node, Scope({})).data == {"users": [{"id": "1"}]}


@pytest.mark.parametrize(
    ("url", "query", "message"),
    [
        (None, "{ a }", "url is required"),
        (" ", "{ a }", "url is required"),
        ("http://x.example/", None, "query is required"),
        ("http://x.example/", "", "query is required"),
    ],
)
def test_url_and_query_are_required(
    url: str | None, query: str | None, message: str, processor: GraphqlQueryProcessor
) -> None:
    with pytest.raises(NodeError, match=message) as caught:
        processor.run(ask(url, query), Scope({}))
    assert caught.value.stable_code == "MISSING_REQUIRED_FIELD"


@pytest.mark.parametrize(
    "node",
    [
        ask("ftp://x.example/", "{ a }"),
        ask("http://x.example/", "{ a }" + " " * 50 + "#" * 102_400),
        ask("http://x.example/", "{ a }", variables="none"),
    ],
)
def test_what_can_not_work_is_refused(node: PlanNode, processor: GraphqlQueryProcessor) -> None:
    with pytest.raises(NodeError) as caught:
        processor.run(node, Scope({}))
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


def test_all_missing_variables_are_named(processor: GraphqlQueryProcessor) -> None:
    node = ask("http://x.example/{{a.data}}", "{ {{b.data}} }", variables={"v": "{{c.data}}"})
    with pytest.raises(NodeError) as caught:
        processor.run(node, Scope({}))
    for path in ("a.data", "b.data", "c.data"):
        assert path in caught.value.message


def test_errors_fail_the_step_and_partial_data_is_kept(
    server: GraphqlServer, processor: GraphqlQueryProcessor
) -> None:
    outcome = processor.run(ask(server.url, "{ hello broken }"), Scope({}))
    assert outcome.error is not None
    assert outcome.error.message == "GraphQL error: this field always fails"
    assert outcome.data == {"hello": "Hello, world!", "broken": None}


def test_a_query_that_the_schema_refuses_fails_without_data(
    server: GraphqlServer, processor: GraphqlQueryProcessor
) -> None:
    outcome = processor.run(ask(server.url, "{ nothingOfTheKind }"), Scope({}))
    assert outcome.error is not None
    assert "nothingOfTheKind" in outcome.error.message
    assert not outcome.has_data


def test_a_server_that_answers_html_is_named(
    server: GraphqlServer, processor: GraphqlQueryProcessor
) -> None:
    with pytest.raises(NodeError, match="not a GraphQL response") as caught:
        processor.run(ask(f"{server.url}/html", "{ hello }"), Scope({}))
    assert "text/html" in caught.value.message


@pytest.mark.parametrize("path", ["/status/500", "/status/404", "/return", "/status/204"])
def test_json_without_data_or_errors_is_no_graphql(
    path: str, processor: GraphqlQueryProcessor
) -> None:
    with HttpServer() as other, pytest.raises(NodeError, match="not a GraphQL response") as caught:
        processor.run(ask(other.url + path, "{ hello }"), Scope({}))
    assert caught.value.may_retry is (path == "/status/500")


def test_a_mutation_is_sent_once(server: GraphqlServer, processor: GraphqlQueryProcessor) -> None:
    before = server.counter
    outcome = processor.run(ask(server.url, "mutation { increment(by: 2) }"), Scope({}))
    assert outcome.data == {"increment": before + 2}
    assert server.counter == before + 2


@pytest.mark.parametrize(
    ("query", "safe"),
    [
        ("{ users { name } }", True),
        ("query Q($a: Int) { users(limit: $a) { name } }", True),
        ("# mutation\nquery { mutation }", True),
        ('{ hello(name: "mutation } mutation {") }', True),
        ('{ user(id: "{{x}}") { {{field}} } }', True),
        ("mutation { increment }", False),
        ("query A { hello } mutation B { increment }", False),
        ("fragment F on User { id } mutation { increment }", False),
        ("subscription { users { id } }", False),
        ("{{query}}", False),
        ("{{kind}} { increment }", False),
    ],
)
def test_which_queries_may_be_repeated(
    query: str, safe: bool, processor: GraphqlQueryProcessor
) -> None:
    assert processor.replay_safe(ask("http://x.example/", query)) is safe
