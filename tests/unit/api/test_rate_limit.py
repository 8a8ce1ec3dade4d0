"""How many requests are let through."""

from __future__ import annotations

from task_engine.config import Limits

from tests.unit.api.events import proxy_event
from tests.unit.api.world import OTHER, World


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    # Given a limit of 2 requests a second and 3 at once
    world = World(limits=Limits(rate_limit_per_second=2, rate_limit_burst=3))
    # When 4 come at once
    answers = [world.call("GET", "/workflows") for _ in range(4)]
    # Then the last is refused, and every reply tells the rate
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    refused = answers[-1]
    assert refused.json["code"] == "RATE_LIMITED"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-ratelimit-limit"] == "3"
    # And others are not touched by it
    assert world.call("GET", "/workflows", owner=OTHER).status == 200
    # And half a second later one more passes
    world.clock.forward(500)
    assert [world.call("GET", "/workflows").status for _ in range(2)] == [200, 429]


def test_callers_without_a_good_token_share_a_bucket_where_they_are() -> None:
    world = World(limits=Limits(rate_limit_per_second=1, rate_limit_burst=2))
    assert world.call("GET", "/health", token="").status == 200
    assert world.call("GET", "/workflows", token="a.b.c").status == 401
    assert world.call("GET", "/health", token="").status == 429
    assert world.call("GET", "/workflows", token="a.b.c").status == 429
    # And somebody elsewhere is not touched by it
    elsewhere = proxy_event("GET", "/health")
    elsewhere["requestContext"]["identity"]["sourceIp"] = "203.0.113.9"
    assert world.send(elsewhere).status == 200


def test_guessing_paths_is_counted_as_any_other_request() -> None:
    # Given a caller who may ask three times
    world = World(limits=Limits(rate_limit_per_second=1, rate_limit_burst=3))
    # When they ask for what is not there
    asked = [("GET", "/workflows/a/b"), ("PATCH", "/workflows"), ("GET", "/workflows")]
    answers = [world.call(method, path) for method, path in (*asked, ("GET", "/workflows/a/b"))]
    # Then each is counted and says what is left
    assert [answer.status for answer in answers] == [404, 405, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[1].headers["allow"] == "GET, POST, OPTIONS"
    # And a broken token is refused there too
    assert world.call("GET", "/workflows/a/b", token="a.b.c").status == 401
