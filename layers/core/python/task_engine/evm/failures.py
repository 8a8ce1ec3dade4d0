"""The one place that says what an error of a chain's node means and whether to ask again."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import unquote, unquote_plus

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue

_LONGEST_MESSAGE = 1000
_SHORTEST_KEY = 12

# Codes of https://eips.ethereum.org/EIPS/eip-1474 (resource unavailable, limit exceeded), and what
# providers use for too many calls. HTTP statuses stand as codes in some batches.
_TRANSIENT_CODES = frozenset({-32005, -32016, -32097, 429, 502, 503, 504})
_TRANSIENT = re.compile(
    r"rate.?limit|too many requests|compute units per second|exceeded.*capacity|over capacity"
    r"|request (?:limit|timed? ?out)|temporarily|try again|timeout|timed out|overloaded"
    r"|service unavailable|gateway|backend",
    re.IGNORECASE,
)
# Behind nodes that run apart: another one, or this one a little later, has the block.
_BEHIND = re.compile(r"header not found|unknown block|block not found|blockoutofrange", re.I)
# Limit exceeded too, but of one query's size: the same query never passes.
_TOO_LARGE = re.compile(r"more than \d+|block range|result set|response size|log response", re.I)
_TOO_MANY_IN_BATCH = re.compile(r"batch", re.IGNORECASE)
_REVERT_CODE = 3
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_URL = re.compile(r"\b(?:https?|wss?)://[^\s\"'<>]+", re.IGNORECASE)


class RpcError(NodeError):
    """A call that the chain's node answered with an error, or could not be asked.

    `message` are the node's words without URLs and keys, `rpc_code` its JSON-RPC code (0 when
    there was no answer), `data` revert data as `0x…` or "". `may_retry` says whether the same call
    may pass later.
    """

    code = "RPC_NODE_ERROR"
    http_status = 503

    def __init__(
        self, message: str, *, rpc_code: int = 0, data: str = "", may_retry: bool = False
    ) -> None:
        super().__init__(message, retryable=may_retry)
        self.rpc_code = rpc_code
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether a contract refused, rather than the node."""
        text = self.message.lower()
        return self.rpc_code == _REVERT_CODE or bool(self.data) or "revert" in text


def error_of(document: dict[str, JsonValue], secrets: Iterable[str] = ()) -> RpcError:
    """For the `error` member of an answer; `secrets` are texts that its message must not repeat."""
    code = document.get("code")
    rpc_code = code if type(code) is int else 0
    said = document.get("message")
    message = without_secrets(said if isinstance(said, str) else "", secrets)
    data = _revert_data(document.get("data")) or _data_in(message)
    transient = not data and is_transient(rpc_code, message)
    return RpcError(
        message or f"the chain's node answered with error {rpc_code}",
        rpc_code=rpc_code,
        data=data,
        may_retry=transient or bool(_BEHIND.search(message)),
    )


def is_transient(rpc_code: int, message: str) -> bool:
    """Whether asking the same again in a moment, or another node now, makes sense."""
    if rpc_code == _REVERT_CODE or "revert" in message.lower() or _TOO_LARGE.search(message):
        return False
    return rpc_code in _TRANSIENT_CODES or _TRANSIENT.search(message) is not None


def is_transient_status(status: int) -> bool:
    """The same for an HTTP status."""
    return status >= 500 or status in (408, 425, 429)


def asks_for_smaller_batch(error: RpcError) -> bool:
    """Whether a batch was refused as a whole because of its size, or of being one at all."""
    return not error.may_retry or bool(_TOO_MANY_IN_BATCH.search(error.message))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """`text` in one line of bounded length, without URLs and without any of `secrets`."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return " ".join(_URL.sub("…", text).split())[:_LONGEST_MESSAGE]


def keys_in(url: str) -> tuple[str, ...]:
    """The parts of a URL that may be a key: long ones of its path, its query and its login, as they
    stand there and decoded, and the login as it is sent (RFC 7617)."""
    _, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    login = authority.rpartition("@")[0]
    parts = re.split(r"[/?&=#:@]", f"{path}/{login}")
    sent = b64encode(unquote(login).encode()).decode() if login else ""
    found = dict.fromkeys([*parts, *map(unquote, parts), *map(unquote_plus, parts), sent])
    return tuple(part for part in found if len(part) >= _SHORTEST_KEY)


def _revert_data(value: JsonValue) -> str:
    """Nodes put it plainly, inside an object, or after a word (`Reverted 0x…`)."""
    if isinstance(value, dict):
        for name in ("data", "originalError", "result", "revertData"):
            found = _revert_data(value.get(name))
            if found:
                return found
        return ""
    if not isinstance(value, str):
        return ""
    text = value.removeprefix("Reverted ").strip()
    return text.lower() if len(text) > 2 and _HEX.fullmatch(text) else ""


def _data_in(message: str) -> str:
    """Revert data at the end of a message, as `execution reverted: 0x08c379a0…`."""
    last = message.rpartition(" ")[2]
    if "revert" not in message.lower() or len(last) < len("0x08c379a0"):
        return ""
    return last.lower() if _HEX.fullmatch(last) else ""
