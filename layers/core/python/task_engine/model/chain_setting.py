"""The setting that names the chains of a deployment, with everything wrong in it told at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from task_engine.errors import ConfigurationError
from task_engine.model.chain import (
    ENTRY_POINT_VERSIONS,
    PAYMASTERS,
    WALLET_PROVIDERS,
    Chain,
    native_currency,
)
from task_engine.model.json_value import JsonValue

_DEFAULT_IDS = (11155111, 84532)
_LARGEST_ID = 2**53
_MOST_CONFIRMATIONS = 1000
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_FORM = 'TASK_ENGINE_CHAINS must be JSON {"chainId": "rpcUrl"} or {"chainId": {"rpcUrls": […]}}'
_Say = Callable[[str], None]


def parse_chains(text: str) -> dict[int, Chain]:
    """The chains of `{"11155111": "http://…"}`, or of an object of settings per chain.

    A text may hold several URLs with spaces between. Empty = two test chains without a node.
    Raises ConfigurationError naming all that is wrong, never a URL: it may carry a key.
    """
    if not text.strip():
        return {chain_id: Chain(chain_id) for chain_id in _DEFAULT_IDS}
    problems: list[str] = []
    chains: dict[int, Chain] = {}
    for key, value in _document(text):
        chain_id = int(key) if key.isascii() and key.isdecimal() and len(key) <= 16 else 0
        if not 0 < chain_id <= _LARGEST_ID:
            problems.append(f"{key[:40]!r} is not a chain id")
        elif chain_id in chains:
            problems.append(f"chain {chain_id} stands there twice")
        else:
            chains[chain_id] = _Reader(chain_id, problems).chain(value)
    if problems:
        raise ConfigurationError(f"TASK_ENGINE_CHAINS: {'; '.join(problems)}")
    return chains


def _document(text: str) -> list[tuple[str, JsonValue]]:
    """The pairs in their order, a chain that stands there twice included."""
    try:
        # Only the outermost pairs are kept as pairs; json.loads would drop a repeated chain.
        found = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(_FORM) from error
    if not isinstance(found, _Pairs):
        raise ConfigurationError(_FORM)
    return [(key, dict(value) if isinstance(value, _Pairs) else value) for key, value in found]


class _Pairs(list[tuple[str, JsonValue]]):
    """A JSON object as it was written."""


class _Reader:
    """Reads the settings of one chain and adds to `problems` what can't be used."""

    def __init__(self, chain_id: int, problems: list[str]) -> None:
        self._id = chain_id
        self._problems = problems
        self._given: dict[str, JsonValue] = {}

    def chain(self, value: JsonValue) -> Chain:
        if isinstance(value, str):
            value = {"rpcUrls": value}
        if not isinstance(value, dict):
            self._say("must be a URL or an object of settings")
            return Chain(self._id)
        self._given = value
        unknown = sorted(str(name)[:40] for name in set(value) - _NAMES)
        if unknown:
            self._say(f"unknown {', '.join(unknown)} (there are {', '.join(sorted(_NAMES))})")
        chain = Chain(
            id=self._id,
            rpc_urls=self._urls(),
            bundler_url=self._url("bundlerUrl"),
            entry_point=self._choice("entryPoint", ENTRY_POINT_VERSIONS),
            wallet_provider=self._choice("walletProvider", WALLET_PROVIDERS),
            factory=self._address("factory"),
            paymaster=self._choice("paymaster", PAYMASTERS),
            paymaster_address=self._address("paymasterAddress"),
            paymaster_url=self._url("paymasterUrl"),
            confirmations=self._confirmations(),
            currency=self._text("currency") or native_currency(self._id),
        )
        self._check_paymaster(chain)
        return chain

    def _check_paymaster(self, chain: Chain) -> None:
        if chain.paymaster == "verifying" and not chain.paymaster_address:
            self._say("the paymaster verifying needs paymasterAddress")
        if chain.paymaster == "erc7677" and not chain.paymaster_url:
            self._say("the paymaster erc7677 needs paymasterUrl")

    def _say(self, problem: str) -> None:
        self._problems.append(f"chain {self._id}: {problem}")

    def _text(self, name: str) -> str:
        value = self._given.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return value.strip()
        self._say(f"{name} must be text")
        return ""

    def _urls(self) -> tuple[str, ...]:
        value = self._given.get("rpcUrls") or ""
        if isinstance(value, str):
            urls = value.split()
        elif isinstance(value, list) and all(isinstance(url, str) for url in value):
            urls = [str(url).strip() for url in value]
        else:
            self._say("rpcUrls must be a list of URLs")
            return ()
        return tuple(self._checked("rpcUrls", url) for url in dict.fromkeys(urls))

    def _url(self, name: str) -> str:
        text = self._text(name)
        return self._checked(name, text) if text else ""

    def _checked(self, name: str, url: str) -> str:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not url.isprintable() or not url.isascii() or " " in url:
            self._say(f"{name} must be of the form https://host/path or http://host/path")
        return url

    def _address(self, name: str) -> str:
        text = self._text(name)
        if text and not _ADDRESS.fullmatch(text):
            self._say(f"{name} must be an address: 0x and 40 hexadecimal digits")
        return text

    def _choice(self, name: str, choices: Sequence[str]) -> str:
        """One of `choices`, of which the first is taken when nothing is said."""
        text = self._text(name) or choices[0]
        if text not in choices:
            self._say(f"{name} must be one of {', '.join(filter(None, choices))}")
        return text

    def _confirmations(self) -> int:
        value = self._given.get("confirmations", 0)
        if type(value) is int and 0 <= value <= _MOST_CONFIRMATIONS:
            return value
        self._say(f"confirmations must be a whole number from 0 to {_MOST_CONFIRMATIONS}")
        return 0


_NAMES = {
    "rpcUrls",
    "bundlerUrl",
    "entryPoint",
    "walletProvider",
    "factory",
    "paymaster",
    "paymasterAddress",
    "paymasterUrl",
    "confirmations",
    "currency",
}
