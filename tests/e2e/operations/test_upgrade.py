"""A stage is deployed again while executions are in flight."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.local.assembly import FileAsset, read_assembly
from infra_cdk.local.client import ApiClient
from infra_cdk.local.deployer import apply, deploy
from infra_cdk.local.login import sign_in
from infra_cdk.local.settings import LocalSettings, chain_urls
from infra_cdk.local.stage import LocalStage, update_stage
from tests.e2e.engine import Deployment
from tests.e2e.test_await import CHAIN, EDGES, signal, started, waiting

pytestmark = pytest.mark.deployed

BROKEN = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Replaced"}}}
MARK = "deployed_again"


@pytest.fixture
def as_it_was(stage: LocalStage) -> Iterator[None]:
    """Whatever a test deploys, the next one finds the stage as it was."""
    yield
    deploy(stage.aws, stage.cloud, lambda _: None, chain_urls(stage.record.chains))


def redeploy(stage: LocalStage, changed: Any) -> None:
    """Deploy the code's stack again, with its template changed."""
    [code] = [s for s in read_assembly(stage.cloud).stacks if s.name.endswith("-stateless")]
    template = code.template
    for stand_in, url in chain_urls(stage.record.chains).items():
        template = template.replace(stand_in, url)
    document = json.loads(template)
    for resource in document["Resources"].values():
        changed(resource)
    apply(stage.aws, replace(code, template=json.dumps(document)))


def replaced_machine(resource: dict[str, Any]) -> None:
    """Every state machine does nothing but fail."""
    if resource["Type"] == "AWS::StepFunctions::StateMachine":
        resource["Properties"]["DefinitionString"] = json.dumps(BROKEN)


class NewCode:
    """Every function's code is another archive, with one module more."""

    def __init__(self, stage: LocalStage, place: Path) -> None:
        self._stage = stage
        self._place = place
        self._assets = {asset.key: asset for asset in read_assembly(stage.cloud).assets}

    def __call__(self, resource: dict[str, Any]) -> None:
        if resource["Type"] == "AWS::Lambda::Function":
            code = resource["Properties"]["Code"]
            code["S3Key"] = self._uploaded(code["S3Key"])

    def _uploaded(self, key: str) -> str:
        asset: FileAsset = self._assets[key]
        file = self._place / f"{MARK}-{Path(key).name}"
        if not file.exists():
            file.write_bytes(asset.content())
            with zipfile.ZipFile(file, "a") as archive:
                archive.writestr(f"{MARK}.py", "")
            new = f"{MARK}-{key}"
            self._stage.aws.client("s3").put_object(
                Bucket=asset.bucket, Key=new, Body=file.read_bytes()
            )
        return f"{MARK}-{key}"


def code_of(stage: LocalStage) -> str:
    """What the code of a node's function hashes to."""
    name = Deployment(stage).output("FunctionNodeCustomCode")
    found = stage.aws.client("lambda").get_function_configuration(FunctionName=name)
    return str(found["CodeSha256"])


def test_a_run_that_waits_goes_on_with_what_it_began_with(
    api: ApiClient, stage: LocalStage, as_it_was: None, tmp_path: Path
) -> None:
    # Given a run that waits for a person
    ids = started(api, CHAIN, EDGES)
    waiting(api, ids)
    before = code_of(stage)
    # When code and state machine are replaced, the latter by one that only fails
    new_code = NewCode(stage, tmp_path)

    def changed(resource: dict[str, Any]) -> None:
        replaced_machine(resource)
        new_code(resource)

    redeploy(stage, changed)
    assert code_of(stage) != before
    late = started(api, CHAIN, EDGES)
    assert api.finished(*late)["status"] == "error", "the new definition is in force"
    # Then the run goes on by its own definition, its later nodes with the new code
    assert signal(api, ids, "approve", {"amount": 4}) == 200
    shown = api.finished(*ids)
    assert shown["status"] == "success", shown
    assert [step["name"] for step in shown["steps"][1:]] == ["ask", "pay"]


def test_nobody_is_signed_out_by_a_new_key_of_tokens(
    api: ApiClient, stage: LocalStage, as_it_was: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a session
    assert api.request("GET", "/workflows").status == 200
    # When the key is followed by a new one
    monkeypatch.setenv("TASK_ENGINE_KEY_GENERATIONS", "tokens=2")
    updated = update_stage(
        LocalSettings.for_own_stage(), stage.directory.name, progress=lambda _: None
    )
    assert updated is not None
    names = {name: value for stack in updated.outputs.values() for name, value in stack.items()}
    assert names["EarlierTokens1KeyId"] == Deployment(stage).output("TokenKeyId")
    assert names["TokenKeyId"] != names["EarlierTokens1KeyId"]
    # Then it still holds, and new ones are made with the new key
    assert api.request("GET", "/workflows").status == 200
    assert sign_in(ApiClient(stage.base_url)).request("GET", "/workflows").status == 200
