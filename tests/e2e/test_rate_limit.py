"""How often a caller may ask, through the gateway."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from infra_cdk.local.client import Answer, ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.e2e.settings import resettled

pytestmark = pytest.mark.deployed

_BURST = 3
# A second of this machine may be too long for the burst and one request more.
_PATIENCE = 60


@pytest.fixture
def strict(stage: LocalStage) -> Iterator[None]:
    """Secrets may be asked for three times at once, and once a second."""
    rate = {"RATE_LIMIT_PER_SECOND": "1", "RATE_LIMIT_BURST": str(_BURST)}
    told = {f"TASK_ENGINE_{name}": value for name, value in rate.items()}
    with resettled(stage, ("api_secrets",), lambda variables: {**variables, **told}):
        yield


def ask(api: ApiClient) -> Answer:
    return api.request("GET", "/secrets")


def refused(api: ApiClient) -> tuple[Answer, list[Answer]]:
    """The first refusal, and what was let through before it."""
    before: list[Answer] = []
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        answer = ask(api)
        if answer.status == 429:
            return answer, before
        assert answer.status == 200
        before.append(answer)
    pytest.fail("nothing was refused")


@pytest.mark.usefixtures("strict")
def test_who_asks_too_often_is_told_when_to_come_again(
    api: ApiClient, anonymous: ApiClient
) -> None:
    # Given another caller
    other = sign_in(anonymous)
    # When somebody asks as fast as they can
    refusal, before = refused(api)
    # Then a burst was let through, each answer with what is left
    assert len(before) >= _BURST
    assert before[0].headers["X-RateLimit-Remaining"] == str(_BURST - 1)
    assert {answer.headers["X-RateLimit-Limit"] for answer in before} == {str(_BURST)}
    # And the refusal is a problem that says why, and when all is back
    assert refusal.headers["Content-Type"] == "application/problem+json"
    assert refusal.body["code"] == "RATE_LIMITED"
    assert refusal.body["status"] == 429
    assert refusal.body["instance"] == refusal.headers["X-Request-Id"]
    assert refusal.headers["X-RateLimit-Remaining"] == "0"
    assert refusal.headers["Retry-After"] == "1"
    in_seconds = int(refusal.headers["X-RateLimit-Reset"]) - time.time()
    assert -_PATIENCE < in_seconds <= _BURST + 1
    # And nobody else is held up, nor the same caller elsewhere
    assert ask(other).status == 200
    assert api.request("GET", "/workflows").status == 200
    # And a moment later there is room again
    wait_until(lambda: ask(api).status == 200, "a request that is let through", 30, 1)


@pytest.mark.usefixtures("strict")
def test_strangers_share_one_bucket_and_owners_do_not_pay_for_them(
    api: ApiClient, anonymous: ApiClient
) -> None:
    # Given strangers who ask too often, whatever they call themselves
    def stranger(number: int) -> int:
        headers = {"Authorization": f"Bearer a.b.{number}"} if number % 2 else {}
        return anonymous.request("GET", "/secrets", headers=headers).status

    numbers = iter(range(10_000))
    wait_until(lambda: stranger(next(numbers)) == 429, "a refusal", _PATIENCE, 0)
    # Then an owner is answered
    assert ask(api).status == 200
