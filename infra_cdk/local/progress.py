"""Progress on a terminal or in a log: one line per step, with the seconds since the start."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rich.console import Console


@dataclass(slots=True)
class Steps:
    """Call it with what happens next."""

    console: Console
    started: float = field(default_factory=time.monotonic)

    def __call__(self, what: str) -> None:
        """Say what is being done now."""
        self.console.print(f"[dim]{self.seconds():5.1f} s[/dim]  {what} …")

    def done(self, what: str) -> None:
        """Say what is reached."""
        self.console.print(f"[dim]{self.seconds():5.1f} s[/dim]  [green]{what}[/green]")

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started
