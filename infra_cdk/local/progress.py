"""Progress on a terminal or in a log: one line per step, with the seconds since the start."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from rich.console import Console


@dataclass(slots=True)
class Steps:
    """Call it with what happens next."""

    console: Console
    started: float = field(default_factory=time.monotonic)

    def __call__(self, what: str) -> None:
        """Say what is being done now."""
        self.console.print(f"[dim]{self.seconds():5.1f} s[/dim]  {what} …", soft_wrap=True)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Say what is waited for; on a terminal something moves until the block ends."""
        self(what)
        return self.console.status(what)

    def done(self, what: str) -> None:
        """Say what is reached."""
        self.console.print(
            f"[dim]{self.seconds():5.1f} s[/dim]  [green]{what}[/green]", soft_wrap=True
        )

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started
