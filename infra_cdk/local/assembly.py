"""Read what the CDK app synthesised: stacks in the order of their dependencies, and file assets."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from infra_cdk.local.aws import ACCOUNT
from infra_cdk.local.settings import REGION
from infra_cdk.local.waiting import StageError

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class FileAsset:
    """A file or folder that a stack expects under `key` of `bucket`."""

    path: Path
    zipped: bool
    bucket: str
    key: str

    def content(self) -> bytes:
        """The bytes to upload; a folder becomes a zip that is the same for the same files."""
        if not self.zipped:
            return self.path.read_bytes()
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted(f for f in self.path.rglob("*") if f.is_file()):
                info = zipfile.ZipInfo(file.relative_to(self.path).as_posix(), _EPOCH)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, file.read_bytes())
        return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Stack:
    """One CloudFormation stack: its name, its template and the parameters it is given."""

    name: str
    template: str
    parameters: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Assembly:
    """A cloud assembly (the folder `cdk synth` writes)."""

    stacks: tuple[Stack, ...]
    assets: tuple[FileAsset, ...]


def read_assembly(directory: Path) -> Assembly:
    """Stacks come before those that depend on them; raises StageError when there is no assembly."""
    manifest_file = directory / "manifest.json"
    if not manifest_file.exists():
        raise StageError(f"no cloud assembly in {directory}")
    artifacts: dict[str, Any] = json.loads(manifest_file.read_text())["artifacts"]
    ordered = _in_dependency_order(artifacts)
    stacks = tuple(
        _stack(directory, name, artifacts[name])
        for name in ordered
        if artifacts[name]["type"] == "aws:cloudformation:stack"
    )
    assets = {
        (asset.bucket, asset.key): asset
        for name in ordered
        if artifacts[name]["type"] == "cdk:asset-manifest"
        for asset in _assets(directory, artifacts[name]["properties"]["file"])
    }
    return Assembly(stacks=stacks, assets=tuple(assets.values()))


def _in_dependency_order(artifacts: dict[str, Any]) -> list[str]:
    ordered: list[str] = []
    visiting: set[str] = set()

    def visit(name: str) -> None:
        if name in ordered:
            return
        if name in visiting:
            raise StageError(f"the stacks depend on each other in a circle at {name}")
        visiting.add(name)
        for dependency in artifacts[name].get("dependencies", []):
            if dependency in artifacts:
                visit(dependency)
        ordered.append(name)

    for name in artifacts:
        visit(name)
    return ordered


def _stack(directory: Path, artifact: str, description: dict[str, Any]) -> Stack:
    properties = description["properties"]
    return Stack(
        name=str(properties.get("stackName", artifact)),
        template=(directory / properties["templateFile"]).read_text(),
        parameters={key: str(value) for key, value in properties.get("parameters", {}).items()},
        tags={key: str(value) for key, value in properties.get("tags", {}).items()},
    )


def _assets(directory: Path, manifest: str) -> list[FileAsset]:
    files: dict[str, Any] = json.loads((directory / manifest).read_text()).get("files", {})
    return [
        FileAsset(
            path=directory / str(entry["source"]["path"]),
            zipped=entry["source"].get("packaging") == "zip",
            bucket=_resolved(str(destination["bucketName"])),
            key=_resolved(str(destination["objectKey"])),
        )
        for entry in files.values()
        if not str(entry["source"].get("path", "")).endswith(".template.json")
        for destination in entry["destinations"].values()
    ]


def _resolved(text: str) -> str:
    for name, value in (("AccountId", ACCOUNT), ("Region", REGION), ("Partition", "aws")):
        text = text.replace("${AWS::" + name + "}", value)
    return text
