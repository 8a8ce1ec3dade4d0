"""Masking what came from secrets, by the values the node was given."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote

from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.secret import MASK, SecretValue

# Shorter values would mask ordinary text; they are masked only where they are all of a text.
_SHORTEST_INSIDE = 4
_SHORTEST_BASE64 = 8
# What JavaScript's encodeURIComponent leaves as it is (ECMA-262 19.2.6.4).
_JS_UNESCAPED = "!'()*"
_PERCENT = re.compile("%[0-9A-F]{2}")


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
        self._inside = _any_of(forms)
        self._in_json = _any_of({json.dumps(form, ensure_ascii=False)[1:-1] for form in forms})

    def text(self, text: str) -> str:
        """The text with every occurrence masked."""
        if text in self._whole:
            return MASK
        return self._inside.sub(MASK, text) if self._inside else text

    def json(self, value: JsonValue) -> JsonValue:
        """The value with every text in it masked, keys too; itself when there is none."""
        if not self._inside and not self._whole:
            return value
        return self._masked(value) if self._may_hold(value) else value

    def _may_hold(self, value: JsonValue) -> bool:
        """Most values hold no secret, which one search over their JSON tells."""
        if self._whole or self._in_json is None:
            return True
        return self._in_json.search(json.dumps(value, ensure_ascii=False)) is not None

    def _masked(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if isinstance(value, dict):
            return self._masked_object(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            # A number that is a secret's text has come from it.
            text = json.dumps(value)
            return MASK if self.text(text) != text else value
        return value

    def _masked_object(self, value: dict[str, JsonValue]) -> JsonValue:
        masked: dict[str, JsonValue] = {}
        for key, item in value.items():
            name = self.text(key)
            # Two keys that differ in a secret only are still two.
            while name in masked:
                name += "'"
            masked[name] = self._masked(item)
        return masked

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


def _any_of(forms: set[str]) -> re.Pattern[str] | None:
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if forms else None


def _forms(value: str) -> set[str]:
    if len(value) < _SHORTEST_INSIDE:
        return set()
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    for safe in ("", "/", _JS_UNESCAPED):
        encoded = quote(value, safe, errors="replace")
        forms |= {encoded, encoded.replace("%20", "+"), _PERCENT.sub(_lower, encoded)}
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) >= _SHORTEST_BASE64:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms |= {encode(raw).decode(), encode(raw).decode().rstrip("=")}
            forms |= {_core(encode(b"\0" * offset + raw).decode(), offset) for offset in range(3)}
    return forms


def _core(encoded: str, offset: int) -> str:
    """The characters of a text in base64 that no byte before or after it has a part in."""
    size = len(encoded.rstrip("=")) * 6 // 8
    return encoded[(offset * 8 + 5) // 6 : size * 8 // 6]


def _lower(found: re.Match[str]) -> str:
    return found[0].lower()
