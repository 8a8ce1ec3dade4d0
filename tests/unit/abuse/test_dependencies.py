"""What is installed and deployed is what was locked, fits together, and may be shipped.

Whether a version was found vulnerable or withdrawn since, only a service on the internet can tell;
SECURITY.md says how to ask it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ROOT / "locks"
NAMES = sorted(path.stem for path in LOCKS.glob("*.txt"))
# What the deployed functions and the client are made of.
SHIPPED = ("base-layer", "cli")
PERMISSIVE = re.compile(
    r"(?:MIT(?: No Attribution License)?|BSD|Apache|ISC|PSF|Python Software|MPL-2\.0"
    r"|Mozilla Public License 2\.0|CNRI|Public Domain)[^;]*",
    re.IGNORECASE,
)
# Distributions that name no licence in their metadata, and where it stands instead.
ELSEWHERE = {"quickjs-ng": "MIT"}
_PIN = re.compile(r"([a-z0-9][a-z0-9.-]*)(?:\[[a-z,]+\])?==([^\s;\\]+)(?: ; [^\\]+?)? \\")


def pins(lock: str) -> dict[str, set[str]]:
    """Versions by package; platforms may differ."""
    found: dict[str, set[str]] = {}
    for line in (LOCKS / f"{lock}.txt").read_text().splitlines():
        pin = _PIN.fullmatch(line)
        if pin is not None:
            found.setdefault(pin[1], set()).add(pin[2])
    return found


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("lock", NAMES)
def test_every_package_has_one_version_and_hashes(lock: str) -> None:
    # Given the lines of a lock
    lines = (LOCKS / f"{lock}.txt").read_text().splitlines()
    # When those are taken away that name a version, or a hash of it
    named = [i for i, line in enumerate(lines) if _PIN.fullmatch(line)]
    hashes = [
        i
        for i, line in enumerate(lines)
        if re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line)
    ]
    # Then nothing is left: no address, no range, no folder; and each version has its hash
    assert named
    assert sorted(named + hashes) == list(range(len(lines)))
    assert all(i + 1 in set(hashes) for i in named)


def test_each_group_has_its_lock() -> None:
    groups = set(project()["dependency-groups"]) - {"chain-layer"}
    assert set(NAMES) == groups


@pytest.mark.parametrize("lock", SHIPPED)
def test_what_is_shipped_is_what_is_tested(lock: str) -> None:
    tested = pins("dev")
    assert {name: found for name, found in pins(lock).items() if tested.get(name) != found} == {}


def test_what_is_asked_for_stands_in_the_lock() -> None:
    for group, asked in project()["dependency-groups"].items():
        locked = pins("base-layer" if group == "chain-layer" else group)
        for requirement in asked:
            if isinstance(requirement, str):
                name = re.split(r"[\[<>=!~ ]", requirement)[0].lower()
                assert name in locked, f"{name} of {group} is not locked"


def test_what_is_installed_is_what_was_locked() -> None:
    wrong = {}
    for name, versions in pins("dev").items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform
        if installed not in versions:
            wrong[name] = installed
    assert wrong == {}


def test_installed_packages_fit_together() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("lock", SHIPPED)
def test_what_is_shipped_may_be_shipped(lock: str) -> None:
    refused = {}
    for name in pins(lock):
        try:
            told = licences(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform
        if not told or not all(PERMISSIVE.match(text) for text in told):
            refused[name] = told
    assert refused == {}


def licences(name: str) -> list[str]:
    """What a distribution says of its licence, or where else it stands."""
    about = metadata.metadata(name)
    [expression] = about.get_all("License-Expression") or [""]
    if expression:
        return re.split(r" (?:AND|OR|WITH) ", expression)
    classified = [
        text.rpartition(" :: ")[2]
        for text in about.get_all("Classifier") or []
        if text.startswith("License :: ")
    ]
    [stated] = about.get_all("License") or [ELSEWHERE.get(name, "")]
    return classified or [part.strip() for part in stated.split(",") if part.strip()]


def test_vendored_modules_carry_their_licences() -> None:
    folder = ROOT / "layers/core/python/task_engine/template/modules"
    told = (folder / "LICENSES.md").read_text()
    for module in folder.glob("*.js"):
        assert re.search(rf"^## {module.stem} \d+\.\d+\.\d+$", told, re.MULTILINE)
    assert told.count("Permission is hereby granted, free of charge") >= 3


def test_packages_of_the_tests_tools_are_locked_by_their_content() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    loose = [
        name
        for name, entry in packages.items()
        if not entry.get("integrity", "").startswith("sha512-") or not entry.get("dev")
    ]
    assert packages
    assert loose == []
    assert "resolved" not in json.dumps(lock)


def test_there_are_few_packages_in_the_functions() -> None:
    # A new one is a decision: it is trusted with every secret that a node uses.
    assert len(pins("base-layer")) <= 20
