"""What a configuration reads."""

from __future__ import annotations

import time

import pytest
from task_engine.compiler.references import references_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{apContext.configVars.KEY}}", ("KEY",)),
        ("{{ apContext . configVars . KEY }}", ("KEY",)),
        ('{{apContext.configVars["my.key"]}}', ("my.key",)),
        ("return apContext.configVars['KEY'] + apContext.configVars.OTHER", ("KEY", "OTHER")),
        ('apContext["configVars"].KEY', ("KEY",)),
        ('apContext["configVars"]["KEY"]', ("KEY",)),
        ("apContext?.configVars?.KEY", ("KEY",)),
        ("apContext.configVars?.[`KEY`]", ("KEY",)),
        ("const {configVars} = apContext; configVars.KEY", ("KEY",)),
        ("const { KEY, OTHER: mine } = apContext.configVars", ("KEY", "OTHER", "mine")),
        ("{{apContext.configVars.my-key}}", ("my-key", "my")),
        ("KEY", ()),
    ],
)
def test_secrets_are_found_by_name(text: str, names: tuple[str, ...]) -> None:
    assert references_of({"source": text}).secrets == names


def test_keys_and_nested_values_count_and_abis_do_not() -> None:
    found = references_of(
        {"a": [{"deep": "{{one.data}}"}], "{{two}}": 1, "contractAbi": [{"name": "three"}]}
    )
    assert {"one", "two"} <= found.identifiers
    assert "three" not in found.identifiers


@pytest.mark.parametrize(
    "piece", ["configVars[", "{ ", "apContext.", "a ", '"', "configVars  ", "{} = apContext", "{}"]
)
def test_the_time_is_linear_in_the_size(piece: str) -> None:
    # Given texts of one kind, the second eight times the first
    def seconds(count: int) -> float:
        text = "configVars" + piece * count
        runs = []
        for _ in range(3):
            # The processor's time, not the clock's: a busy machine must not decide this.
            start = time.process_time()
            references_of({"source": text})
            runs.append(time.process_time() - start)
        return min(runs)

    # Then it takes far less than the square of that
    assert seconds(40_000) < 30 * max(seconds(5_000), 0.001)
