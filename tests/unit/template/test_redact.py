"""What is masked, and in which forms."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.secret import MASK, SecretValue
from task_engine.template.redact import Redactor

VALUE = 'p@ss "wörd"/1 \n€'
REDACTOR = Redactor({"KEY": SecretValue(VALUE)})


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
        quote(VALUE, safe="").lower().replace("w%c3%b6rd", "w%c3%b6rd"),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
    ],
)
def test_every_form_is_masked(form: str) -> None:
    masked = REDACTOR.text(f"before {form} after")
    assert masked == f"before {MASK} after"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_base64_at_every_offset_is_masked(before: str, after: str) -> None:
    encoded = base64.b64encode(f"{before}{VALUE}{after}".encode()).decode()
    masked = REDACTOR.text(encoded)
    assert MASK in masked
    assert len(masked.replace(MASK, "")) <= len(before) * 4 / 3 + len(after) * 4 / 3 + 6


def test_nested_json_and_keys_are_masked() -> None:
    value: JsonValue = {"a": [VALUE, {"b": f"x{VALUE}"}], VALUE: 1, "n": 5, "t": True, "z": None}
    assert REDACTOR.json(value) == {
        "a": [MASK, {"b": f"x{MASK}"}],
        MASK: 1,
        "n": 5,
        "t": True,
        "z": None,
    }


def test_keys_that_become_equal_are_all_kept() -> None:
    redactor = Redactor({"A": SecretValue("aaaa"), "B": SecretValue("bbbb")})
    masked = redactor.json({"aaaa": 1, "bbbb": 2})
    assert isinstance(masked, dict)
    assert sorted(masked.values(), key=str) == [1, 2]


def test_a_value_without_secrets_is_itself() -> None:
    value: JsonValue = {"a": ["text", 1]}
    assert REDACTOR.json(value) is value


def test_short_values_are_masked_only_where_they_are_all() -> None:
    redactor = Redactor({"PIN": SecretValue("123")})
    assert redactor.json(["123", "x123", 123, 1234]) == [MASK, "x123", MASK, 1234]


def test_a_number_made_of_a_secret_is_masked() -> None:
    assert Redactor({"N": SecretValue("123456")}).json([123456, 12]) == [MASK, 12]


def test_an_empty_secret_masks_nothing() -> None:
    assert Redactor({"E": SecretValue("")}).json(["", "x"]) == ["", "x"]


def test_rendered_texts_are_masked_too() -> None:
    redactor = Redactor({}, ["Bearer zz-99"])
    assert redactor.text("sent Bearer zz-99!") == f"sent {MASK}!"


def test_a_secret_inside_another_is_masked_once() -> None:
    redactor = Redactor({"A": SecretValue("secret"), "B": SecretValue("my-secret-key")})
    assert redactor.text("my-secret-key and secret") == f"{MASK} and {MASK}"


def test_all_of_an_outcome_is_masked() -> None:
    outcome = Outcome(
        data=VALUE,
        error=StepError("X", f"no {VALUE}", True),
        log=f"log {VALUE}",
        metadata={"m": VALUE},
        display=[VALUE],
        has_display=True,
        conditions=("c",),
    )
    masked = REDACTOR.outcome(outcome)
    assert masked == Outcome(
        data=MASK,
        error=StepError("X", f"no {MASK}", True),
        log=f"log {MASK}",
        metadata={"m": MASK},
        display=[MASK],
        has_display=True,
        conditions=("c",),
    )
