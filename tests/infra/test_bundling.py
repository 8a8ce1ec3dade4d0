"""Code on its way to Lambda: complete, compiled, and named after its sources."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from infra_cdk import bundling
from infra_cdk.bundling import Bundles
from infra_cdk.stage import stage_config


def test_the_shared_zip_has_every_function_and_the_core(tmp_path: Path) -> None:
    bundles = Bundles(stage_config("local", {}), tmp_path, complete=True)
    bundle = bundles.function("trigger")
    assert bundles.function("sweeper") is bundle
    assert (bundle.path / "functions" / "sweeper" / "handler.py").is_file()
    assert (bundle.path / "task_engine" / "errors.py").is_file()


def test_byte_code_is_unchecked_and_knows_its_place_on_lambda(tmp_path: Path) -> None:
    # Given the zip of stage local, compiled by the Python that will run it
    bundle = Bundles(stage_config("local", {}), tmp_path, complete=True).function("trigger")
    source = bundle.path / "task_engine" / "errors.py"
    compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
    # Then it is of the kind that needs no times to match (PEP 552), and names no build folder
    assert int.from_bytes(compiled[4:8], "little") == 0b01
    assert b"/var/task/task_engine/errors.py" in compiled
    assert str(tmp_path).encode() not in compiled


def test_a_digest_depends_on_the_sources_alone(tmp_path: Path) -> None:
    stage = stage_config("local", {})
    first = Bundles(stage, tmp_path / "a", complete=True).function("trigger")
    second = Bundles(stage, tmp_path / "b", complete=True).function("trigger")
    assert first.path != second.path
    assert first.digest == second.digest


def test_a_digest_changes_with_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given functions of which one is changed
    functions = tmp_path / "functions"
    (functions / "one").mkdir(parents=True)
    for folder in (functions, functions / "one"):
        (folder / "__init__.py").write_text("")
    monkeypatch.setattr(bundling, "_FUNCTIONS", functions)
    stage = stage_config("local", {})
    before = Bundles(stage, tmp_path / "a", complete=False).function("one")
    (functions / "one" / "handler.py").write_text("VALUE = 1\n")
    # When it is bundled again
    after = Bundles(stage, tmp_path / "b", complete=False).function("one")
    # Then it is another bundle
    assert before.digest != after.digest


def test_a_functions_own_zip_has_no_other_function(tmp_path: Path) -> None:
    bundle = Bundles(stage_config("dev", {}), tmp_path, complete=False).function("trigger")
    names = {path.name for path in (bundle.path / "functions").iterdir()}
    assert names == {"__init__.py", "trigger"}


def test_packages_are_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an installer that needs no network
    installed: list[str] = []

    def install(target: Path, architecture: str) -> None:
        installed.append(architecture)
        (target / "package.py").write_text("VALUE = 1\n")

    monkeypatch.setattr(bundling, "_install", install)
    monkeypatch.setattr(bundling, "_CACHE", tmp_path / "cache")
    monkeypatch.setattr(bundling, "_interpreter", lambda _: sys.executable)
    # When two stages of one architecture and one of another are bundled
    layers = [
        Bundles(stage_config(name, environ), tmp_path / f"{number}", complete=True).base_layer()
        for number, (name, environ) in enumerate(
            [("dev", {}), ("prod", {}), ("dev", {"TASK_ENGINE_ARCHITECTURE": "x86_64"})]
        )
    ]
    # Then each architecture was installed once, into folders that are shaped like layers
    assert installed == ["arm64", "x86_64"]
    assert layers[0].digest == layers[1].digest != layers[2].digest
    for layer in layers:
        assert (layer.path / "python" / "package.py").is_file()
        assert list(layer.path.rglob("*.pyc"))


def test_folded_zips_have_the_packages_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        bundling, "_install", lambda target, _: (target / "package.py").write_text("")
    )
    monkeypatch.setattr(bundling, "_CACHE", tmp_path / "cache")
    bundle = Bundles(stage_config("localstack", {}), tmp_path, complete=True).function("trigger")
    assert (bundle.path / "package.py").is_file()
    assert (bundle.path / "task_engine" / "errors.py").is_file()
    assert (bundle.path / "functions" / "trigger" / "handler.py").is_file()
