"""What a REST node sends and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.model.secret import MASK, SecretValue
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.base import Scope
from task_engine.processors.rest_api import RestApiProcessor, ServerToken

from tests.servers.http_server import HttpServer

JSON: dict[str, JsonValue] = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


@pytest.fixture(scope="module")
def processor() -> RestApiProcessor:
    return RestApiProcessor(SafeHttp(EgressPolicy(["127.0.0.1"]), Limits()))


def rest(url: str, **config: JsonValue) -> PlanNode:
    return PlanNode("n1", "call", NodeType.REST_API, {"url": url, **config}, 1)


def seen(outcome: Outcome) -> dict[str, JsonValue]:
    """What the echo server was sent."""
    assert isinstance(outcome.data, dict)
    return outcome.data


def shown(outcome: Outcome) -> dict[str, JsonValue]:
    assert outcome.has_display
    assert isinstance(outcome.display, dict)
    return outcome.display


def test_the_body_goes_on_and_the_step_shows_the_response(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    outcome = processor.run(rest(f"{server.url}/gzipped"), Scope({}))
    assert outcome.error is None
    assert outcome.data == {"zipped": True}
    record = shown(outcome)
    assert record["data"] == {"zipped": True}
    assert record["status"] == 200
    assert record["statusText"] == "OK"
    assert record["url"] == f"{server.url}/gzipped"
    headers = record["headers"]
    assert isinstance(headers, dict)
    assert headers["Content-Type"] == "application/json"


def test_url_headers_method_and_body_are_templates(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    scope = Scope({"t": {"data": {"route": "echo", "key": "k1", "verb": "put", "text": "hi"}}})
    node = rest(
        server.url + "/{{t.data.route}}?a={{ t.data.key }}",
        method="{{t.data.verb}}",
        headers={"X-Key": "key {{t.data.key}}"},
        body="say {{t.data.text}}",
    )
    sent = seen(processor.run(node, scope))
    assert sent["method"] == "PUT"
    assert sent["query"] == {"a": "k1"}
    assert sent["body"] == "say hi"
    assert isinstance(sent["headers"], dict)
    assert sent["headers"]["X-Key"] == "key k1"


def test_a_digest_is_refused_where_somebody_tries_it_and_stored_nodes_run_on(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    node = rest(f"{server.url}/echo", options={"summarize": True})
    with pytest.raises(NodeError, match="summarize") as caught:
        processor.run(node, Scope({}, simulated=True))
    assert caught.value.stable_code == "OPTION_UNSUPPORTED"
    assert processor.run(node, Scope({})).error is None
    plain = rest(f"{server.url}/echo", options={"summarize": False})
    assert processor.run(plain, Scope({}, simulated=True)).error is None


@pytest.mark.parametrize("url", [None, "", "   "])
def test_a_url_is_required(url: str | None, processor: RestApiProcessor) -> None:
    with pytest.raises(NodeError, match="url is required") as caught:
        processor.run(PlanNode("n", "n", NodeType.REST_API, {"url": url}, 1), Scope({}))
    assert caught.value.stable_code == "MISSING_REQUIRED_FIELD"


@pytest.mark.parametrize(
    "config",
    [
        {"url": "ftp://example.org/"},
        {"url": "example.org"},
        {"url": 7},
        {"url": "http://x.example/", "method": "TRACE"},
        {"url": "http://x.example/", "method": "CONNECT"},
        {"url": "http://x.example/", "method": 5},
        {"url": "http://x.example/", "headers": "X: 1"},
        {"url": "http://x.example/", "headers": {"X": ["1"]}},
        {"url": "http://x.example/", "headers": JSON, "body": '{"a": {{x}}}'},
        {"url": "http://x.example/", "headers": JSON, "body": "not json"},
        {"url": "http://x.example/", "headers": JSON, "body": '{"a": NaN}'},
        {"url": "http://x.example/", "headers": JSON, "body": "[" * 100_000},
        {"url": "http://x.example/" + "a" * 102_400},
        {"url": "http://x.example/", "headers": {"X": "a" * 102_401}},
        {"url": "http://x.example/", "body": "a" * 10_485_761},
        {"url": "http://x.example/", "options": {"auth": {"provider": "unheard-of"}}},
    ],
)
def test_what_can_not_work_is_refused(
    config: dict[str, JsonValue], processor: RestApiProcessor
) -> None:
    with pytest.raises(NodeError) as caught:
        processor.run(PlanNode("n", "n", NodeType.REST_API, config, 1), Scope({"x": 1}))
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


def test_text_in_a_json_body_is_escaped(server: HttpServer, processor: RestApiProcessor) -> None:
    given = 'say "hi"\n\\ é'
    node = rest(
        f"{server.url}/return", method="POST", headers=JSON, body='{"a": "{{text}}", "b": [1]}'
    )
    outcome = processor.run(node, Scope({"text": given}))
    assert outcome.data == {"a": given, "b": [1]}


def test_an_object_in_a_json_body_arrives_as_its_json_text(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    node = rest(f"{server.url}/return", method="POST", headers=JSON, body='{"a": "{{list}}"}')
    outcome = processor.run(node, Scope({"list": [1, {"k": "v"}]}))
    assert isinstance(outcome.data, dict)
    assert str(outcome.data["a"]).replace(" ", "") == '[1,{"k":"v"}]'


def test_a_json_content_type_may_come_from_a_template(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    headers: dict[str, JsonValue] = {"content-type": "application/{{kind}}"}
    node = rest(f"{server.url}/return", method="POST", headers=headers, body='{"a": {{x}}}')
    with pytest.raises(NodeError, match="not valid JSON"):
        processor.run(node, Scope({"kind": "problem+json", "x": 1}))
    outcome = processor.run(node, Scope({"kind": "x-custom", "x": 1}))
    assert outcome.data == {"a": 1}


def test_all_missing_variables_are_named_and_nothing_is_sent(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    node = rest(
        f"{server.url}/count/missing?{{{{first.data.id}}}}",
        method="POST",
        headers={"X-A": "{{second.data.token}}"},
        body="{{third.data}}",
    )
    with pytest.raises(NodeError) as caught:
        processor.run(node, Scope({}))
    for path in ("first.data.id", "second.data.token", "third.data"):
        assert path in caught.value.message
    assert server.count("missing") == 0


def test_names_in_the_config_do_not_give_way_to_variables(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    variables: dict[str, JsonValue] = {"url": "http://other.example/", "method": "DELETE"}
    sent = seen(processor.run(rest(f"{server.url}/echo"), Scope(variables)))
    assert sent["method"] == "GET"


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (404, False), (429, True), (500, True), (503, True)]
)
def test_a_status_of_400_or_more_fails_softly(
    status: int, retryable: bool, server: HttpServer, processor: RestApiProcessor
) -> None:
    outcome = processor.run(rest(f"{server.url}/status/{status}"), Scope({}))
    assert outcome.error is not None
    assert outcome.error.message.startswith(f"HTTP {status}: ")
    assert outcome.error.retryable is retryable
    assert outcome.has_data
    assert outcome.data == {"status": status}
    assert shown(outcome)["status"] == status


def test_the_message_of_a_404(server: HttpServer, processor: RestApiProcessor) -> None:
    outcome = processor.run(rest(f"{server.url}/status/404"), Scope({}))
    assert outcome.error is not None
    assert outcome.error.message == "HTTP 404: Not Found"
    assert outcome.error.code == "INVALID_REQUEST"


def test_repeated_headers_are_a_list_and_an_empty_body_is_empty_text(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    outcome = processor.run(rest(f"{server.url}/set-cookie"), Scope({}))
    headers = shown(outcome)["headers"]
    assert isinstance(headers, dict)
    assert headers["Set-Cookie"] == ["a=1", "b=2"]
    assert outcome.data == ""
    assert shown(outcome)["statusText"] == "Created"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("<h1>hi</h1>", "<h1>hi</h1>"),
        ("null", None),
        ("12345678901234567890", 12345678901234567890),
        ("NaN", "NaN"),
        ('["\\ud83d\\ude00", "\\ud83d"]', ["😀", "\ufffd"]),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_how_a_body_is_read(
    body: str, value: JsonValue, server: HttpServer, processor: RestApiProcessor
) -> None:
    node = rest(f"{server.url}/return", method="POST", body=body)
    assert processor.run(node, Scope({})).data == value


def test_bytes_that_are_no_text_do_not_fail(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    assert processor.run(rest(f"{server.url}/bytes/2"), Scope({})).data == "\ufffd\ufffd"


def test_a_slow_server_ends_with_the_scope(server: HttpServer, processor: RestApiProcessor) -> None:
    http = SafeHttp(EgressPolicy(["127.0.0.1"]), Limits(http_timeout_seconds=1))
    with pytest.raises(NodeError, match="timeout"):
        RestApiProcessor(http).run(rest(f"{server.url}/slow"), Scope({}))


def test_a_refused_connection_is_a_connection_error(processor: RestApiProcessor) -> None:
    with HttpServer() as gone:
        url = gone.url
    with pytest.raises(NodeError, match="connection error"):
        processor.run(rest(url), Scope({}))


def test_a_secret_reaches_the_server_and_no_message(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    secrets = {"KEY": SecretValue("s3cr3t-value")}
    scope = Scope({}, secrets=secrets)
    headers: dict[str, JsonValue] = {"X-Key": "{{apContext.configVars.KEY}}"}
    sent = seen(processor.run(rest(f"{server.url}/echo", headers=headers), scope))
    assert isinstance(sent["headers"], dict)
    assert sent["headers"]["X-Key"] == "s3cr3t-value"
    with pytest.raises(NodeError) as caught:
        processor.run(rest("http://x:{{apContext.configVars.KEY}}@example.org/"), scope)
    assert "s3cr3t" not in caught.value.message


def test_a_secret_that_a_url_changed_is_masked_in_it(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    scope = Scope({}, secrets={"KEY": SecretValue("a b&c/d")})
    outcome = processor.run(rest(server.url + "/html?k={{apContext.configVars.KEY}}"), scope)
    assert shown(outcome)["url"] == f"{server.url}/html?k={MASK}"


def test_a_header_made_of_a_secret_does_not_follow_to_another_origin(
    server: HttpServer, processor: RestApiProcessor
) -> None:
    with HttpServer() as other:
        node = rest(
            f"{server.url}/redirect?to={other.url}/echo",
            headers={"X-Key": "{{apContext.configVars.KEY}}", "X-Other": "kept"},
        )
        scope = Scope({}, secrets={"KEY": SecretValue("s3cr3t-value")})
        headers = seen(processor.run(node, scope))["headers"]
    assert isinstance(headers, dict)
    assert "X-Key" not in headers
    assert headers["X-Other"] == "kept"


def with_token(token: str, host: str = "127.0.0.1") -> RestApiProcessor:
    tokens = {"goplus": ServerToken(SecretValue(token), frozenset({host}))}
    return RestApiProcessor(SafeHttp(EgressPolicy(["127.0.0.1"]), Limits()), tokens)


def test_a_server_side_token_is_attached_and_masked(server: HttpServer) -> None:
    node = rest(f"{server.url}/echo", options={"auth": {"provider": " GoPlus "}})
    outcome = with_token("server-token-1").run(node, Scope({}))
    headers = seen(outcome)["headers"]
    assert isinstance(headers, dict)
    assert MASK in str(headers["Authorization"])
    assert "server-token-1" not in repr(outcome)


def test_an_empty_server_side_token_attaches_nothing(server: HttpServer) -> None:
    node = rest(f"{server.url}/echo", options={"auth": {"provider": "goplus"}})
    headers = seen(with_token("").run(node, Scope({})))["headers"]
    assert isinstance(headers, dict)
    assert "Authorization" not in headers


def test_a_server_side_token_goes_to_its_own_host_alone(server: HttpServer) -> None:
    node = rest(f"{server.url}/count/stolen", options={"auth": {"provider": "goplus"}})
    with pytest.raises(NodeError, match="does not belong to the url's host"):
        with_token("server-token-1", "api.example").run(node, Scope({}))
    assert server.count("stolen") == 0


@pytest.mark.parametrize(
    ("method", "safe"),
    [
        (None, True),
        ("get", True),
        ("HEAD", True),
        ("PUT", True),
        ("DELETE", True),
        ("OPTIONS", True),
        ("POST", False),
        ("patch", False),
        ("{{verb}}", False),
    ],
)
def test_which_requests_may_be_repeated(
    method: str | None, safe: bool, processor: RestApiProcessor
) -> None:
    assert processor.replay_safe(rest("http://x.example/", method=method)) is safe
