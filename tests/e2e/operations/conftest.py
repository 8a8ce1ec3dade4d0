"""The deployer's commands, pointed to the deployed local stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from infra_cdk.local.settings import REGION
from infra_cdk.local.stage import LocalStage
from infra_cdk.ops.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Ops = Callable[..., Ran]


@pytest.fixture
def ops(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ops:
    """Runs one command on the stage, e.g. `ops("stuck", "--minutes", "5")`; rows come as JSON."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stage.aws.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)

    def run(*arguments: str, as_json: bool = True) -> Ran:
        capsys.readouterr()
        given = ["--stage", "local", *(["--json"] if as_json else []), *arguments]
        code = main(given)
        return Ran(code, *capsys.readouterr())

    return run
