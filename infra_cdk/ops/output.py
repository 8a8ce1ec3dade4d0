"""What commands print: rows for people, JSON lines for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO


class Output:
    """Writes to one stream."""

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self._as_json = as_json

    def rows(self, rows: Iterable[Mapping[str, Any]], none: str = "none") -> int:
        """Print rows, a column for each name; how many there were."""
        count = 0
        for row in rows:
            count += 1
            if self._as_json:
                self._stream.write(json.dumps(row, default=str) + "\n")
                continue
            told = {name: value for name, value in row.items() if value not in ("", None)}
            shown = [f"{name}={_text(value)}" for name, value in told.items()]
            self._stream.write("  ".join(shown) + "\n")
        if not count and not self._as_json:
            self._stream.write(f"{none}\n")
        return count

    def done(self, text: str, **values: Any) -> None:  # noqa: ANN401 - any JSON
        """Say what was done."""
        line = json.dumps({"done": text, **values}, default=str) if self._as_json else text
        self._stream.write(line + "\n")


def _text(value: object) -> str:
    """One line of a value, without control characters that a terminal would obey."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return "".join(char if char.isprintable() else "�" for char in text)
