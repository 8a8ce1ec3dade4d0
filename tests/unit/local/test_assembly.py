"""What the deployer reads from a cloud assembly."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from infra_cdk.local.assembly import FileAsset, read_assembly
from infra_cdk.local.waiting import StageError


def _stack(*needs: str) -> dict[str, object]:
    return {
        "type": "aws:cloudformation:stack",
        "dependencies": list(needs),
        "properties": {"templateFile": "t.json", "stackName": "named"},
    }


def _write(directory: Path, artifacts: dict[str, object]) -> None:
    (directory / "t.json").write_text("{}")
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


def test_a_stack_comes_after_what_it_needs(tmp_path: Path) -> None:
    # Given
    artifacts = {"b": _stack("a", "elsewhere"), "a": _stack()}
    for name, artifact in artifacts.items():
        artifact["properties"] = {"templateFile": "t.json", "stackName": f"stack-{name}"}
    _write(tmp_path, dict(artifacts))
    # When
    assembly = read_assembly(tmp_path)
    # Then
    assert [stack.name for stack in assembly.stacks] == ["stack-a", "stack-b"]


def test_a_circle_is_told(tmp_path: Path) -> None:
    _write(tmp_path, {"a": _stack("b"), "b": _stack("a")})
    with pytest.raises(StageError, match="circle"):
        read_assembly(tmp_path)


def test_no_assembly_is_told(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no cloud assembly"):
        read_assembly(tmp_path)


def test_assets_are_named_for_the_emulators_account(tmp_path: Path) -> None:
    # Given an asset manifest with a folder and with the template itself
    files = {
        "h": {
            "source": {"path": "code", "packaging": "zip"},
            "destinations": {
                "d": {"bucketName": "b-${AWS::AccountId}-${AWS::Region}", "objectKey": "h.zip"}
            },
        },
        "t": {
            "source": {"path": "s.template.json", "packaging": "file"},
            "destinations": {"d": {"bucketName": "b", "objectKey": "t"}},
        },
    }
    (tmp_path / "s.assets.json").write_text(json.dumps({"files": files}))
    manifest = {"type": "cdk:asset-manifest", "properties": {"file": "s.assets.json"}}
    _write(tmp_path, {"s.assets": manifest})
    # When
    (asset,) = read_assembly(tmp_path).assets
    # Then
    assert (asset.bucket, asset.key) == ("b-000000000000-us-east-1", "h.zip")
    assert asset.path == tmp_path / "code"


def test_a_folder_becomes_the_same_zip_each_time(tmp_path: Path) -> None:
    # Given
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "m.py").write_text("x = 1\n")
    asset = FileAsset(tmp_path, zipped=True, bucket="b", key="k")
    first = asset.content()
    # When the file is written again
    (tmp_path / "pkg" / "m.py").write_text("x = 1\n")
    # Then
    assert asset.content() == first
    assert zipfile.ZipFile(BytesIO(first)).read("pkg/m.py") == b"x = 1\n"
