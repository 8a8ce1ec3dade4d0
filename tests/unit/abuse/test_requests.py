"""Requests that mean one thing to us and another to whoever stands before us."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.unit.api.events import proxy_event
from tests.unit.api.world import OTHER, OWNER, World

RUN = {
    "node": {
        "type": "customCode",
        "config": {"lang": "javascript", "source": "return 1"},
    }
}


@pytest.fixture
def world() -> World:
    return World()


def event(world: World, method: str, path: str, body: object = None, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given.setdefault("Authorization", f"Bearer {world.token()}")
    return proxy_event(method, path, body=body, headers=given)


@pytest.mark.parametrize("name", ["Authorization", "X-Partner-Assertion", "Idempotency-Key"])
@pytest.mark.parametrize("spelling", ["as it is", "in lower case"])
def test_a_header_that_decides_may_be_sent_once(world: World, name: str, spelling: str) -> None:
    # Given two headers of one name, of which API Gateway passes the last in `headers`
    sent = event(world, "GET", "/workflows")
    first, second = f"Bearer {world.token(OTHER)}", f"Bearer {world.token()}"
    if spelling == "as it is":
        sent["multiValueHeaders"][name] = [first, second]
    else:
        sent["multiValueHeaders"] |= {name: [first], name.lower(): [second]}
    # When it is answered
    answer = world.send(sent)
    # Then neither was believed
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")


def test_other_headers_may_repeat(world: World) -> None:
    sent = event(world, "GET", "/workflows")
    sent["multiValueHeaders"]["Accept"] = ["text/html", "application/json"]
    assert world.send(sent).status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Prefix", "/evil"),
        ("Forwarded", "for=127.0.0.1;host=evil.example"),
        ("X-Original-URL", "/health"),
        ("X-Rewrite-URL", "/health"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-Owner", OTHER),
        ("X-Amzn-Oidc-Identity", OTHER),
        ("Transfer-Encoding", "chunked"),
        ("Host", "evil.example"),
    ],
)
def test_headers_of_proxies_change_nothing(world: World, name: str, value: str) -> None:
    # Given a task, and what is answered without the header
    task = world.store_task()
    plain = world.call("GET", f"/workflows/{task.id}")
    # When it comes with one that some servers obey
    answer = world.call("GET", f"/workflows/{task.id}", headers={name: value})
    # Then the answer is the same, and no header repeats it
    assert (answer.status, answer.text) == (200, plain.text)
    assert "evil" not in str(answer.headers)
    assert world.call("GET", "/workflows", token="", headers={name: value}).status == 401


@pytest.mark.parametrize(
    "key",
    ["", " ", "a b", "a\nb", "a\r\nX-Owner: b", "a\tb", "a\0b", "ключ", "a" * 256, "\u2028"],
)
def test_a_key_that_is_no_token_is_refused(world: World, key: str) -> None:
    answer = world.call("POST", "/nodes:run", RUN, headers={"Idempotency-Key": key})
    if key.strip():
        assert answer.status == 400
    assert answer.status in (200, 400)
    assert not any(ord(char) < 32 for value in answer.headers.values() for char in value)


PATHS = [
    "/workflows/ID/",
    "/workflows//ID",
    "//workflows/ID",
    "/workflows/./ID",
    "/workflows/x/../ID",
    "/workflows/%2e%2e/workflows/ID",
    "/workflows/ID%2fexecutions",
    "/workflows/ID%2Fexecutions",
    "/workflows/ID%252fexecutions",
    "/workflows/ID;owner=OTHER",
    "/workflows/ID%00",
    "/workflows/ID%0a",
    "/workflows/ID\u2215executions",
    "/workflows/\uff0e\uff0e/ID",
    "/workflows/ID%3Apause",
    "/workflows/ID:pause:resume",
    "/workflows/ID\\executions",
    "/workflows/*",
    "/workflows/%",
    "/workflows/%zz",
    "/workflows/" + "a" * 5000,
    "/workflows/\u0130D",
    "/executions/ID%23",
    "/secrets/%2e%2e%2fworkflows",
    "/wallets/0x%00",
]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_a_strange_path_is_no_way_to_another_owner(world: World, method: str, path: str) -> None:
    # Given a task of somebody else
    theirs = world.store_task(OTHER)
    path = path.replace("ID", theirs.id).replace("OTHER", OTHER)
    # When a path is asked for that some servers read otherwise
    sent = event(world, method, "/workflows", {} if method == "POST" else None)
    answer = world.send({**sent, "path": f"/api/v1{path}"})
    # Then there is nothing there, and nothing happened
    assert 400 <= answer.status < 500 or (method, answer.status) == ("DELETE", 204)
    assert theirs.id not in answer.text.replace(path, "")
    kept = world.call("GET", f"/workflows/{theirs.id}", owner=OTHER)
    assert (kept.status, kept.json["status"]) == (200, "enabled")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/xml", "application/json; charset=utf-7", ""],
)  # fmt: skip
def test_a_body_is_json_whatever_it_is_called(world: World, content_type: str) -> None:
    header = {"Content-Type": content_type}
    assert world.call("PUT", "/secrets/name", "value=x", headers=header).status == 400
    assert world.call("PUT", "/secrets/name", "+ADw-", headers=header).status == 400
    assert not world.secret_rows.rows


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_a_compressed_body_is_not_unpacked(world: World, coding: str) -> None:
    # Given a body of 50 MB that is small on its way
    packed = gzip.compress(b'{"value": "' + b"x" * 50_000_000 + b'"}')
    answer = world.call("PUT", "/secrets/name", packed, headers={"Content-Encoding": coding})
    assert answer.status == 400
    assert not world.secret_rows.rows


@pytest.mark.parametrize(
    "change",
    [
        {"body": "%%%", "isBase64Encoded": True},
        {"body": 7},
        {"body": ["{}"]},
        {"headers": None, "multiValueHeaders": None},
        {"headers": {"Authorization": None}},
        {"queryStringParameters": None, "multiValueQueryStringParameters": {"limit": []}},
        {"requestContext": None},
        {"httpMethod": "get"},
        {"httpMethod": "TRACE"},
        {"httpMethod": "CONNECT"},
        {"path": ""},
    ],
)
def test_an_event_of_another_form_is_answered(world: World, change: dict[str, Any]) -> None:
    sent = event(world, "PUT", "/secrets/name", {"value": "x"}) | change
    if not sent["path"]:
        sent["path"] = "/secrets"
    answer = world.send(sent)
    assert 200 <= answer.status < 500


def test_a_query_can_not_name_another_owner(world: World) -> None:
    world.store_task(OTHER)
    for query in ("owner", "sub", "smartWalletAddress", "filter[owner]", "__proto__[owner]"):
        answer = world.call("GET", f"/workflows?{query}={OTHER}")
        assert answer.status in (200, 400)
        assert OTHER not in json.dumps(answer.json.get("data", []))
    assert world.call("GET", "/workflows").json["data"] == []
    assert world.call("GET", "/workflows", owner=OWNER).json["data"] == []
