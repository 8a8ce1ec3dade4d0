"""Code on its way to Lambda, without Docker: staged folders with stable hashes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra_cdk.stage import Packaging, StageConfig

ROOT = Path(__file__).resolve().parent.parent
PYTHON_VERSION = "3.13"
_CORE = ROOT / "layers" / "core" / "python" / "task_engine"
_FUNCTIONS = ROOT / "functions"
_LOCK = ROOT / "locks" / "base-layer.txt"
_CACHE = ROOT / ".cache" / "bundles"
_WHEELS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
_PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "py.typed")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder ready to be zipped; `digest` depends on its sources alone, not on times, places or
    the bytes of compiled files."""

    path: Path
    digest: str


class Bundles:
    """Stages the code of one deployment under `build`, which may be removed after synthesis.

    `complete=False` leaves out byte code and puts a placeholder where third-party packages would
    be: such templates can be checked, not deployed.
    """

    def __init__(self, stage: StageConfig, build: Path, *, complete: bool) -> None:
        self._stage = stage
        self._build = build
        self._complete = complete
        self._interpreter = _interpreter(stage.packaging) if complete else None
        self._form = "sources" if self._interpreter is None else "sources and byte code"
        self._shared: Bundle | None = None

    def function(self, name: str) -> Bundle:
        """The zip of one function; where all functions share one, the same one each time."""
        if self._stage.packaging is Packaging.LAYERS:
            return self._functions(f"function-{name}", [_FUNCTIONS / name])
        if self._shared is None:
            folders = sorted(p for p in _FUNCTIONS.iterdir() if (p / "__init__.py").is_file())
            self._shared = self._functions("functions", folders, folded=True)
        return self._shared

    def core_layer(self) -> Bundle:
        """The engine's own packages, below `python/` as Lambda wants it."""
        folder = self._build / "core-layer"
        shutil.copytree(_CORE, folder / "python" / _CORE.name, ignore=_IGNORED)
        return self._finish(folder, "/opt")

    def base_layer(self) -> Bundle:
        """Third-party packages for Lambda's platform, from the lock file."""
        folder = self._build / "base-layer"
        packages = self._packages()
        if packages is None:
            return _placeholder(folder)
        shutil.copytree(packages.path, folder / "python")
        return Bundle(folder, packages.digest)

    def _functions(self, name: str, folders: Iterable[Path], *, folded: bool = False) -> Bundle:
        folder = self._build / name
        target = folder / _FUNCTIONS.name
        target.mkdir(parents=True)
        shutil.copy2(_FUNCTIONS / "__init__.py", target)
        for source in folders:
            if source.is_dir():
                shutil.copytree(source, target / source.name, ignore=_IGNORED)
        if folded:
            shutil.copytree(_CORE, folder / _CORE.name, ignore=_IGNORED)
        staged = self._finish(folder, "/var/task")
        packages = self._packages() if self._stage.packaging is Packaging.FOLDED else None
        if packages is None:
            return staged
        shutil.copytree(packages.path, folder, dirs_exist_ok=True)
        return Bundle(folder, _joined(staged.digest, packages.digest))

    def _finish(self, folder: Path, mount: str) -> Bundle:
        digest = _joined(_source_digest(folder), self._form)
        self._compile(folder, mount)
        return Bundle(folder, digest)

    def _compile(self, folder: Path, mount: str) -> None:
        """Byte code that Lambda need not make at each cold start. Unchecked: zipping changes the
        times that the other kinds compare."""
        if self._interpreter is None:
            return
        command = [self._interpreter, "-m", "compileall", "-q", "--invalidation-mode"]
        command += ["unchecked-hash", "-s", str(folder), "-p", mount, str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603

    def _packages(self) -> Bundle | None:
        """Installed once per lock file and platform, then taken from the cache."""
        if not self._complete:
            return None
        architecture = self._stage.architecture
        digest = _joined(_LOCK.read_text(), architecture, PYTHON_VERSION, self._form)
        folder = _CACHE / f"base-{architecture}-{digest[:16]}"
        if not folder.is_dir():
            partial = folder.with_name(f"{folder.name}.{os.getpid()}")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _install(partial, architecture)
            self._compile(partial, "/opt/python")
            partial.rename(folder)
        return Bundle(folder, digest)


def _install(target: Path, architecture: str) -> None:
    """Wheels of Lambda's platform only: nothing is built here."""
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python-platform", _WHEELS[architecture]]
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--implementation", "cp"]
        for level in ("manylinux_2_28", "manylinux_2_17", "manylinux2014"):
            command += ["--platform", f"{level}_{_PLATFORMS[architecture]}"]
    command += ["--python-version", PYTHON_VERSION, "--only-binary", ":all:", "--no-deps"]
    command += ["--require-hashes", "--target", str(target), "-r", str(_LOCK)]
    subprocess.run(command, check=True)  # noqa: S603
    for unused in ("bin", "Crypto/SelfTest"):
        shutil.rmtree(target / unused, ignore_errors=True)
    for compiled in target.rglob("__pycache__"):
        shutil.rmtree(compiled)


def _interpreter(packaging: Packaging) -> str | None:
    """The Python whose byte code the runtime will read, if this machine has it."""
    if packaging is Packaging.SHARED or sys.version.startswith(f"{PYTHON_VERSION}."):
        return sys.executable
    found = shutil.which(f"python{PYTHON_VERSION}")
    if found is None:
        return None
    # Version managers put a stand-in on the path that fails when the version is not chosen.
    works = subprocess.run([found, "-c", ""], check=False, capture_output=True)  # noqa: S603
    return found if works.returncode == 0 else None


def _placeholder(folder: Path) -> Bundle:
    folder.mkdir(parents=True)
    (folder / "PLACEHOLDER.txt").write_text("Synthesised without packages: not for deployment.\n")
    return Bundle(folder, _joined("placeholder"))


def _source_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _joined(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
