"""How many requests a caller may send: a token bucket for each."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.clock import Clock
from task_engine.config import Limits
from task_engine.errors import QuotaExceeded

RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_REMEMBERED = 4096


class RateLimited(QuotaExceeded):
    """Too many requests at once."""

    code = "RATE_LIMITED"
    retryable = True


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request; `reset_at` is when all is back, in seconds since the epoch."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: int

    def headers(self) -> Mapping[str, str]:
        """As the contract's reply headers."""
        values = (self.limit, self.remaining, self.reset_at)
        return dict(zip(RATE_HEADERS, map(str, values), strict=True))


class RateLimiter:
    """Buckets by subject; callers without a token have one for each address they call from.

    The buckets are this process's: a deployment with many warm instances lets more through, and
    the gateway's own throttle bounds the sum.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._rate = max(limits.rate_limit_per_second, 1)
        self._burst = max(limits.rate_limit_burst, 1)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, subject: str) -> Allowance:
        """Count one request of `subject`."""
        now = self._clock.now_ms()
        tokens, since = self._buckets.pop(subject, (float(self._burst), now))
        refilled = max(now - since, 0) * self._rate / 1000
        tokens = min(tokens + refilled, float(self._burst))
        allowed = tokens >= 1
        tokens -= allowed
        self._buckets[subject] = (tokens, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        full_in = (self._burst - tokens) / self._rate
        return Allowance(allowed, self._burst, int(tokens), math.ceil(now / 1000 + full_in))
