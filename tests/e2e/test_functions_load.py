"""Every deployed function can be loaded: its code is in its package, its imports are installed."""

from __future__ import annotations

import pytest

from infra_cdk.local.stage import LocalStage

pytestmark = pytest.mark.deployed


def test_every_function_is_loaded_before_it_complains(stage: LocalStage) -> None:
    # Given all functions of the stack
    outputs = stage.outputs["task-engine-local-stateless"]
    functions = sorted(name for key, name in outputs.items() if key.startswith("Function"))
    assert len(functions) >= 16
    # When each is given an event it cannot use
    client = stage.aws.client("lambda")
    answers = {
        name: client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read().decode()
        for name in functions
    }
    # Then whatever it answers, it is not that it could not be loaded
    broken = {name: text for name, text in answers.items() if "Worker init failed" in text}
    assert broken == {}
