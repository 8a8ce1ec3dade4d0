"""Examples, taken from the payloads under events/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_SAMPLES = {
    "<wallet>": "0x5a8A51f4C6F4A2F2b9D4d8e9B2C1d3E4F5061728",
    "<token>": "eyJhbGciOiJIUzI1NiJ9.e30.signature",
}


class Examples:
    """Reads the repository's `events` folder."""

    def __init__(self, events: Path) -> None:
        self._events = events

    def body(self, event: str) -> Any:  # noqa: ANN401 - any JSON
        """The body of a payload of events/api, None when it has none."""
        text = self._event(event).get("body")
        return json.loads(text) if isinstance(text, str) else None

    def path(self, event: str) -> str:
        """The path of a payload, below the API's base."""
        path: str = self._event(event)["path"]
        return path.partition("/api/v1")[2]

    def workflows(self) -> dict[str, Any]:
        """Every create request of events/workflows, by its file's name."""
        files = sorted((self._events / "workflows").glob("*.json"))
        return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}

    def _event(self, name: str) -> dict[str, Any]:
        text = (self._events / "api" / f"{name}.json").read_text(encoding="utf-8")
        for word, sample in _SAMPLES.items():
            text = text.replace(word, sample)
        event: dict[str, Any] = json.loads(text)
        return event
