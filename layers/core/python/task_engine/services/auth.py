"""Log-in: a signed message of a wallet becomes a token."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import InvalidRequest, Problem, Unauthenticated
from task_engine.evm.address import ZERO, Address, is_address
from task_engine.evm.signature import recover_signer
from task_engine.services.ports import Guards, TokenSigner
from task_engine.services.tokens_jwt import issue_token

MAX_MESSAGE_BYTES = 4096
_LINES = 8
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
_CHAIN = re.compile(r"[1-9]\d{0,18}")


@dataclass(frozen=True, slots=True)
class LoginMessage:
    """What the signed text says; `expires_at` in ms since the epoch."""

    chain_id: int
    expires_at: int
    wallet: Address


@dataclass(frozen=True, slots=True)
class Login:
    """A token for `subject` (checksummed) until `expires_at` (ms since the epoch)."""

    token: str
    expires_at: int
    subject: str


class AuthService:
    """Exchanges signed messages for tokens; each message once."""

    def __init__(
        self, signer: TokenSigner, guards: Guards, settings: Settings, clock: Clock
    ) -> None:
        self._signer = signer
        self._guards = guards
        self._max_life_ms = settings.limits.max_token_hours * 3_600_000
        self._clock = clock

    def exchange(self, owner_address: str, signature: str, message: str) -> Login:
        """A token that lives until the message's `Expire At`, but no longer than the stage allows.

        Raises InvalidRequest for a message or address of another form (all problems at once), and
        Unauthenticated: AUTH_EXPIRED_MESSAGE when its time is over, AUTH_INVALID_SIGNATURE when it
        does not verify or names another wallet, AUTH_MESSAGE_USED when it was exchanged before.
        """
        owner, login = _parse_request(owner_address, message)
        now = self._clock.now_ms()
        if login.expires_at <= now:
            raise Unauthenticated(
                "the message has expired: sign a new one", code="AUTH_EXPIRED_MESSAGE"
            )
        raw = message.encode()
        if login.wallet != owner or recover_signer(raw, signature) != owner:
            raise Unauthenticated(
                "the message is not signed by ownerAddress", code="AUTH_INVALID_SIGNATURE"
            )
        # Taken last, so that only a verified message uses up its name; remembered for as long as
        # the message could be exchanged, which may be longer than the token lives.
        name = f"login:{hashlib.sha256(raw).hexdigest()}"
        if not self._guards.take(name, (login.expires_at - now) // 1000 + 1, now):
            raise Unauthenticated(
                "the message was exchanged before: sign a new one", code="AUTH_MESSAGE_USED"
            )
        expires_at = min(login.expires_at, now + self._max_life_ms)
        token = issue_token(self._signer, owner, login.chain_id, expires_at // 1000)
        return Login(token, expires_at // 1000 * 1000, owner)


def _parse_request(owner_address: str, message: str) -> tuple[Address, LoginMessage]:
    problems: list[Problem] = []
    if not is_address(owner_address) or owner_address[2:].strip("0") == "":
        text = "must be a wallet's address: 0x and 40 hexadecimal digits, not the zero address"
        problems.append(Problem("AUTH_INVALID_ADDRESS", "ownerAddress", text))
    login = _parse_message(message, problems)
    if problems or login is None:
        raise InvalidRequest("the log-in request is not as expected", tuple(problems))
    return Address(owner_address), login


def _parse_message(message: str, problems: list[Problem]) -> LoginMessage | None:
    """The fields of the text, by the prefixes of its lines; adds to `problems` what is wrong."""
    lines = message.split("\n")
    if len(lines) < _LINES or len(message.encode("utf-8", "replace")) > MAX_MESSAGE_BYTES:
        text = f"must have at least {_LINES} lines and at most {MAX_MESSAGE_BYTES} bytes"
        problems.append(Problem("AUTH_BAD_MESSAGE", "message", text))
        return None
    before = len(problems)
    chain = _line(lines, "Chain ID: ", problems)
    expires = _line(lines, "Expire At: ", problems)
    wallet = _line(lines, "Wallet: ", problems)
    if chain and not (_CHAIN.fullmatch(chain) and int(chain) < 2**63):
        problems.append(_wrong("Chain ID must be a positive decimal number"))
    expires_at = _parse_time(expires) if expires else 0
    if expires_at is None:
        problems.append(_wrong("Expire At must be a time like 2026-01-31T12:00:00.000Z"))
    if wallet and (not is_address(wallet) or wallet.lower() == ZERO):
        problems.append(_wrong("Wallet must be an address", code="AUTH_INVALID_ADDRESS"))
    if len(problems) > before or expires_at is None:
        return None
    return LoginMessage(int(chain), expires_at, Address(wallet))


def _line(lines: list[str], prefix: str, problems: list[Problem]) -> str:
    """The rest of the one line that begins with `prefix`; "" adds a problem."""
    found = [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
    if len(found) != 1 or not found[0]:
        problems.append(_wrong(f"must have exactly one line that begins with {prefix.strip()}"))
        return ""
    return found[0]


def _parse_time(text: str) -> int | None:
    if _TIME.fullmatch(text) is None:
        return None
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _wrong(text: str, code: str = "AUTH_BAD_MESSAGE") -> Problem:
    return Problem(code, "message", text)
