"""Masking what came from secrets, by the values the node was given."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.secret import MASK, SecretValue

# Shorter values would mask ordinary text; they are masked only where they are all of a text.
_SHORTEST_INSIDE = 4
_SHORTEST_BASE64 = 8


class Redactor:
    """Masks the secrets of one node in all that the node leaves behind.

    Only values that this node was given are looked for, in the forms in which they leave it: raw,
    escaped for JSON, encoded for URLs, in base64 at any offset. A script that changes a secret in
    another way (a hash, a reversal) has made another value, which is not known here.
    """

    def __init__(self, secrets: Mapping[str, SecretValue], tainted: Iterable[str] = ()) -> None:
        values = {secret.reveal() for secret in secrets.values()} | set(tainted)
        values.discard("")
        self._whole = frozenset(value for value in values if len(value) < _SHORTEST_INSIDE)
        forms = {form for value in values for form in _forms(value)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._inside = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """The text with every occurrence masked."""
        if text in self._whole:
            return MASK
        return self._inside.sub(MASK, text) if self._inside else text

    def json(self, value: JsonValue) -> JsonValue:
        """The value with every text in it masked, keys too."""
        if not self._inside and not self._whole:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.json(item) for key, item in value.items()}
        if isinstance(value, int | float) and not isinstance(value, bool):
            # A number that is a secret's text has come from it.
            text = json.dumps(value)
            return MASK if self.text(text) != text else value
        return value

    def outcome(self, outcome: Outcome) -> Outcome:
        """All that is stored of a node's work."""
        error = outcome.error
        return replace(
            outcome,
            data=self.json(outcome.data),
            display=self.json(outcome.display),
            metadata=self.json(outcome.metadata),
            log=self.text(outcome.log),
            error=replace(error, message=self.text(error.message)) if error else None,
        )


def _forms(value: str) -> set[str]:
    if len(value) < _SHORTEST_INSIDE:
        return set()
    forms = {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
    }
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) >= _SHORTEST_BASE64:
        for offset in range(3):
            # Characters that mix in neighbouring bytes are left out at both ends.
            lead = (offset * 8 + 5) // 6
            whole = (offset + len(raw)) * 8 // 6
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                forms.add(encode(b"\0" * offset + raw).decode()[lead:whole])
    return forms
