"""What holds for every route: tokens, problems, request ids, routing, bodies."""

from __future__ import annotations

import json
import logging

import pytest
from task_engine.api.request_body import MAX_BODY_BYTES
from task_engine.errors import Unavailable
from task_engine.services.tokens_jwt import issue_token

from tests.fakes.machines import FakeSigner
from tests.unit.api.events import REQUEST_ID
from tests.unit.api.world import OWNER, World

PROTECTED = [
    ("GET", "/workflows"),
    ("POST", "/workflows"),
    ("GET", "/workflows:count"),
    ("GET", "/workflows/01anyulid"),
    ("DELETE", "/workflows/01anyulid"),
    ("POST", "/workflows/01anyulid:pause"),
    ("POST", "/workflows/01anyulid:resume"),
    ("POST", "/workflows/01anyulid:trigger"),
    ("GET", "/workflows/01anyulid/executions"),
    ("GET", "/executions"),
    ("GET", "/executions/01anyulid"),
    ("GET", "/executions/01anyulid:getStatus"),
    ("GET", "/executions:count"),
    ("GET", "/executions:stats"),
    ("GET", "/wallets"),
    ("POST", "/wallets"),
    ("PATCH", "/wallets/0x12"),
    ("GET", "/secrets"),
    ("PUT", "/secrets/name"),
    ("DELETE", "/secrets/name"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_no_route_answers_without_a_token(world: World, method: str, path: str) -> None:
    # When it is called without a token
    answer = world.call(method, path, token="")
    # Then the answer is a problem that says so
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json["code"] == "AUTH_REQUIRED"


@pytest.mark.parametrize(
    "header", ["Basic abc", "Bearer", "Bearer ", "Bearer a.b.c", "token", "Bearer a b"]
)
@pytest.mark.parametrize("path", ["/workflows", "/health"])
def test_a_wrong_header_is_refused_on_public_routes_too(
    world: World, header: str, path: str
) -> None:
    answer = world.call("GET", path, token="", headers={"authorization": header})
    assert answer.status == 401


def test_expired_and_foreign_tokens_are_refused(world: World) -> None:
    # Given a token that is over, and one of another deployment
    expired = issue_token(world.signer, OWNER, 1, world.clock.ms // 1000)
    foreign = issue_token(FakeSigner(b"theirs"), OWNER, 1, world.clock.ms // 1000 + 60)
    # When they are sent, then both are refused
    for token in (expired, foreign):
        answer = world.call("GET", "/workflows", token=token)
        assert (answer.status, answer.json["code"]) == (401, "AUTH_INVALID_TOKEN")


def test_health_is_public_and_has_a_version(world: World) -> None:
    answer = world.call("GET", "/health", token="")
    assert answer.status == 200
    assert answer.json["status"] == "ok"
    assert answer.json["version"]


@pytest.mark.parametrize("base", ["/api/v1", "/live/api/v1", ""])
def test_what_stands_before_the_route_does_not_matter(world: World, base: str) -> None:
    task = world.store_task()
    assert world.call("GET", f"/workflows/{task.id}", base=base).status == 200
    assert world.call("POST", f"/workflows/{task.id}:pause", base=base).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/workflows/a/b/c"),
        ("POST", "/workflows:unknown"),
        ("POST", "/executions/01anyulid:explode"),
        ("DELETE", "/executions/"),
        ("POST", "/secrets/a/b"),
    ],
)
def test_an_unknown_route_is_a_problem(world: World, method: str, path: str) -> None:
    answer = world.call(method, path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["instance"] == REQUEST_ID


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/workflows", "GET, POST, OPTIONS"),
        ("PUT", "/workflows/01anyulid", "DELETE, GET, OPTIONS"),
        ("PUT", "/workflows/01anyulid:pause", "POST, OPTIONS"),
        ("POST", "/workflows:count", "GET, OPTIONS"),
        ("PUT", "/workflows:simulate", "POST, OPTIONS"),
        ("GET", "/nodes:run", "POST, OPTIONS"),
        ("POST", "/executions/01anyulid:getStatus", "GET, OPTIONS"),
        ("GET", "/auth:exchange", "POST, OPTIONS"),
        ("POST", "/health", "GET, OPTIONS"),
        ("HEAD", "/health", "GET, OPTIONS"),
    ],
)
@pytest.mark.parametrize("base", ["/api/v1", "/live/api/v1"])
def test_a_known_path_by_another_method_tells_its_methods(
    world: World, method: str, path: str, allowed: str, base: str
) -> None:
    answer = world.call(method, path, token="", base=base)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "METHOD_NOT_ALLOWED"
    assert answer.json["instance"] == REQUEST_ID


def test_every_reply_has_the_request_id_and_cors_headers(world: World) -> None:
    origin = {"Origin": "https://app.example"}
    for method, path in [("GET", "/workflows"), ("GET", "/nowhere"), ("GET", "/workflows/x/y/z")]:
        first = "/workflows" + path if path == "/nowhere" else path
        answer = world.call(method, first, headers=origin)
        assert answer.headers["x-request-id"] == REQUEST_ID
        assert answer.headers["access-control-allow-origin"]
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


def test_a_browser_may_ask_first(world: World) -> None:
    answer = world.call("OPTIONS", "/workflows", token="", headers={"Origin": "https://a.example"})
    assert answer.status == 204
    allowed = answer.headers["access-control-allow-headers"]
    assert "Idempotency-Key" in allowed
    assert "X-Partner-Assertion" in allowed


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "{",
        "[]",
        "null",
        '"text"',
        "{'a': 1}",
        '{"value": NaN}',
        '{"value": "a", "value": "b"}',
        '{"value": "\\ud800"}',
        b"\xff\xfe",
        b'{"value": "\xed\xa0\x80"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"value": ' + "[" * 201 + "]" * 201 + "}",
        '{"value": ' + "9" * 5000 + "}",
    ],
)
def test_a_malformed_body_is_a_problem(world: World, body: object) -> None:
    answer = world.call("PUT", "/secrets/name", body)
    assert answer.status == 400
    assert answer.json["code"] == "INVALID_REQUEST"
    assert not world.secret_rows.rows


def test_brackets_inside_texts_are_no_nesting(world: World) -> None:
    assert world.call("PUT", "/secrets/name", {"value": '[{"\\' * 500}).status == 201


def test_a_body_in_base64_is_decoded(world: World) -> None:
    assert world.call("PUT", "/secrets/name", {"value": "x"}, encoded=True).status == 201
    event_body = world.call("PUT", "/secrets/name", b"\xef\xbb\xbf" + b'{"value": "y"}')
    assert event_body.status == 204


def test_a_body_above_the_limit_is_refused(world: World) -> None:
    answer = world.call("PUT", "/secrets/name", json.dumps({"value": "x" * MAX_BODY_BYTES}))
    assert answer.status == 413


def test_all_problems_are_named_at_once_with_their_places(world: World) -> None:
    body = {"signature": 7, "message": "", "extra": 1}
    answer = world.call("POST", "/auth:exchange", body, token="")
    assert answer.status == 400
    assert answer.problems == {
        ("extra", "INVALID_REQUEST"),
        ("message", "MISSING_REQUIRED_FIELD"),
        ("ownerAddress", "MISSING_REQUIRED_FIELD"),
        ("signature", "INVALID_REQUEST"),
    }


def test_the_unforeseen_is_a_neutral_500(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a store that breaks in a way that nobody thought of
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the password is hunter2")

    monkeypatch.setattr(world.tasks, "get", broken)
    # When a route meets it
    with caplog.at_level(logging.ERROR):
        answer = world.call("GET", f"/workflows/{'0' * 26}")
    # Then the client learns nothing of it, and the log has the cause
    assert answer.status == 500
    assert "hunter2" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_a_throttled_store_says_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise Unavailable("the table is busy")

    monkeypatch.setattr(world.tasks, "get", busy)
    answer = world.call("GET", f"/workflows/{'0' * 26}")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json["code"] == "STORAGE_UNAVAILABLE"
