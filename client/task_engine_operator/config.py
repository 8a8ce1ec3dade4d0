"""An operator's settings: a TOML file, and environment variables that take precedence."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from task_engine.errors import ConfigurationError
from task_engine.model.chain import Chain
from task_engine.model.chain_setting import parse_chains
from task_engine.model.shard import WHOLE, Shard, read_shard

PREFIX = "TASK_ENGINE_OPERATOR_"
URL_VARIABLE = "TASK_ENGINE_URL"
CHAINS_VARIABLE = "TASK_ENGINE_CHAINS"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
_SECTIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({"url", "state", "key", "chains", "watch", "metrics"}),
    "key": frozenset({"file", "env", "kms", "region"}),
    "watch": frozenset({"pause_seconds", "shard"}),
    "metrics": frozenset({"host", "port"}),
}
_CHAIN = frozenset({"rpc_urls", "confirmations"})
_MOST_CONFIRMATIONS = 1000


class ConfigError(Exception):
    """Everything that is wrong with the settings, one text each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class KeyConfig:
    """Where the key is: a file with 64 hex digits, a variable that holds them, or a key of KMS
    (its id, ARN or alias, in `region`)."""

    file: str = ""
    env: str = ""
    kms: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class OperatorConfig:
    """`url` ends in `/api/v1`. `state` is the file of the cursors. `pause_seconds` 0 = by the
    chain's block time; `metrics_port` 0 = none are served."""

    url: str
    key: KeyConfig
    chains: Mapping[int, Chain]
    state: Path = Path("operator.db")
    pause_seconds: float = 0.0
    shard: Shard = WHOLE
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9464


def load_config(file: str, environ: Mapping[str, str]) -> OperatorConfig:
    """The settings of `file` ("" = that of the environment, or none) and of the environment.

    Raises ConfigError with all that is wrong. Relative paths in the file are relative to it.
    """
    name = file or environ.get(CONFIG_VARIABLE, "")
    problems: list[str] = []
    document = _document(Path(name), problems) if name else {}
    if problems:
        raise ConfigError(problems)
    reader = _Reader(document, environ, Path(name).parent if name else Path(), problems)
    config = reader.config()
    if problems:
        raise ConfigError(problems)
    return config


def _document(path: Path, problems: list[str]) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{path} can't be read: {error}")
    return {}


class _Reader:
    """Reads what there is and adds to `problems` what can't be used."""

    def __init__(
        self,
        document: Mapping[str, object],
        environ: Mapping[str, str],
        folder: Path,
        problems: list[str],
    ) -> None:
        self._document = document
        self._environ = environ
        self._folder = folder
        self._problems = problems

    def config(self) -> OperatorConfig:
        self._unknown("", self._document)
        for name in ("key", "watch", "metrics"):
            self._unknown(name, self._section(name))
        return OperatorConfig(
            url=self._url(),
            key=self._key(),
            chains=self._chains(),
            state=self._path(self._text("", "state", "STATE") or "operator.db", "STATE"),
            pause_seconds=self._number("watch", "pause_seconds", "PAUSE_SECONDS", (0.1, 3600), 0.0),
            shard=self._shard(),
            metrics_host=self._text("metrics", "host", "METRICS_HOST") or "127.0.0.1",
            metrics_port=int(self._number("metrics", "port", "METRICS_PORT", (0, 65_535), 9464)),
        )

    def _say(self, problem: str) -> None:
        self._problems.append(problem)

    def _section(self, name: str) -> Mapping[str, object]:
        if not name:
            return self._document
        found = self._document.get(name, {})
        if isinstance(found, dict):
            return found
        self._say(f"{name} must be a table: [{name}]")
        return {}

    def _unknown(self, name: str, given: Mapping[str, object]) -> None:
        known = _SECTIONS[name]
        for key in sorted(given.keys() - known):
            where = f"{name}.{key}" if name else key
            self._say(f"{where} is no setting (there are {', '.join(sorted(known))})")

    def _text(self, section: str, name: str, variable: str) -> str:
        """The environment's value, else the file's, else ""."""
        found = self._environ.get(PREFIX + variable, "")
        if found:
            return found
        value = self._section(section).get(name, "")
        if isinstance(value, str):
            return value
        self._say(f"{section + '.' if section else ''}{name} must be a text")
        return ""

    def _number(
        self, section: str, name: str, variable: str, limits: tuple[float, float], default: float
    ) -> float:
        value: object = self._environ.get(PREFIX + variable, "")
        if value == "":
            value = self._section(section).get(name, default)
        least, most = limits
        try:
            number = float(value) if isinstance(value, str | int | float) else least - 1
        except ValueError:
            number = least - 1
        if isinstance(value, bool) or not (least <= number <= most or value == default):
            self._say(f"{section}.{name} must be a number from {least:g} to {most:g}")
            return default
        return number

    def _url(self) -> str:
        value = self._environ.get(URL_VARIABLE, "") or self._text("", "url", "URL")
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not value:
            self._say(f"url is missing: the engine's API, https://…/api/v1 (or {URL_VARIABLE})")
        elif not usable:
            self._say("url must be of the form https://host/…/api/v1")
        return value.rstrip("/")

    def _key(self) -> KeyConfig:
        file = self._text("key", "file", "KEY_FILE")
        env = self._text("key", "env", "KEY_ENV")
        kms = self._text("key", "kms", "KMS_KEY")
        if self._environ.get(f"{PREFIX}KEY") and not (file or env or kms):
            env = f"{PREFIX}KEY"
        given = [name for name, value in (("file", file), ("env", env), ("kms", kms)) if value]
        if not given:
            self._say(f"no key: set key.file, key.env or key.kms (or the variable {PREFIX}KEY)")
        if len(given) > 1:
            self._say(f"more than one key: {', '.join(f'key.{name}' for name in given)}")
        region = self._text("key", "region", "KMS_REGION")
        return KeyConfig(str(self._path(file, "KEY_FILE")) if file else "", env, kms, region)

    def _path(self, text: str, variable: str) -> Path:
        path = Path(text).expanduser()
        return path if self._environ.get(PREFIX + variable) else self._folder / path

    def _shard(self) -> Shard:
        shard = read_shard(self._text("watch", "shard", "SHARD") or str(WHOLE))
        if shard is None:
            self._say("watch.shard must be of the form 2/3: the second of three operators")
        return shard or WHOLE

    def _chains(self) -> dict[int, Chain]:
        text = self._environ.get(CHAINS_VARIABLE, "")
        if text:
            return self._given(lambda: parse_chains(text))
        tables = self._section("chains")
        chains: dict[int, Chain] = {}
        for key, table in tables.items():
            if not (key.isascii() and key.isdecimal() and 0 < int(key) < 2**53):
                self._say(f"chains.{key[:40]}: the name of the table must be a chain's id")
            elif not isinstance(table, dict):
                self._say(f"chains.{key} must be a table: [chains.{key}]")
            else:
                chains[int(key)] = self._chain(int(key), table)
        return self._with_nodes(chains)

    def _given(self, parse: Callable[[], dict[int, Chain]]) -> dict[int, Chain]:
        try:
            return self._with_nodes(parse())
        except ConfigurationError as error:
            self._say(error.message)
        return {}

    def _with_nodes(self, chains: dict[int, Chain]) -> dict[int, Chain]:
        if not chains:
            self._say(f"no chain to watch: write [chains.<id>] tables (or {CHAINS_VARIABLE})")
        for chain in chains.values():
            if not chain.rpc_urls:
                self._say(f"chains.{chain.id}.rpc_urls is missing")
        return chains

    def _chain(self, chain_id: int, table: Mapping[str, object]) -> Chain:
        for key in sorted(table.keys() - _CHAIN):
            self._say(f"chains.{chain_id}.{key} is no setting (there are confirmations, rpc_urls)")
        urls = table.get("rpc_urls", [])
        listed = [urls] if isinstance(urls, str) else urls
        usable: list[str] = []
        if isinstance(listed, list) and all(isinstance(url, str) for url in listed):
            usable = [str(url) for url in listed]
        elif "rpc_urls" in table:
            self._say(f"chains.{chain_id}.rpc_urls must be a list of texts")
        if any(not url.startswith(("http://", "https://")) for url in usable):
            # Without the URL: it may carry a key.
            self._say(f"chains.{chain_id}.rpc_urls must begin with https:// or http://")
        confirmations = table.get("confirmations", 0)
        if type(confirmations) is not int or not 0 <= confirmations <= _MOST_CONFIRMATIONS:
            text = f"must be a whole number from 0 to {_MOST_CONFIRMATIONS}"
            self._say(f"chains.{chain_id}.confirmations {text}")
            confirmations = 0
        return Chain(chain_id, rpc_urls=tuple(usable), confirmations=confirmations)
