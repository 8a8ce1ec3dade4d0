"""A clock that moves when told to."""

from __future__ import annotations

from dataclasses import dataclass

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@dataclass
class FakeClock:
    ms: int = START_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    def forward(self, ms: int) -> None:
        self.ms += ms
