"""Smart wallets of owners: derived from owner and salt, recorded, counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from task_engine.config import Settings
from task_engine.errors import InvalidRequest, NotFound, Problem
from task_engine.model.task import TaskStatus
from task_engine.model.wallet import Wallet
from task_engine.services.ports import TaskFilter, Tasks, Wallets

if TYPE_CHECKING:
    from task_engine.evm.address import Address

_SALT = re.compile(r"[0-9]{1,78}|0[xX][0-9a-fA-F]{1,64}")
_MAX_SALT = 2**256 - 1


@dataclass(frozen=True, slots=True)
class WalletCounts:
    """Tasks of a wallet, by status."""

    total: int
    enabled: int
    completed: int
    failed: int
    disabled: int


class Factories(Protocol):
    """Contracts that make wallets, and where the wallets are."""

    def default(self, chain_id: int) -> str:
        """The factory of new wallets on a chain, checksummed."""

    def address(self, chain_id: int, factory: str, owner: str, salt: int) -> str:
        """The wallet's address, checksummed: computed where the factory's code is known, asked of
        the factory otherwise. Raises InvalidRequest when `factory` makes no such wallets,
        Unavailable when its chain can't be asked."""


class WalletService:
    """Lists, creates and hides wallets; tells which addresses are an owner's."""

    def __init__(
        self, wallets: Wallets, tasks: Tasks, factories: Factories, settings: Settings
    ) -> None:
        self._wallets = wallets
        self._tasks = tasks
        self._factories = factories
        self._settings = settings

    def list_wallets(self, owner: str, chain_id: int) -> list[Wallet]:
        """All of the chain, hidden ones too, by salt as text; records the wallet of salt 0."""
        found = self._wallets.of_owner(owner, chain_id)
        first = self._derive(owner, chain_id, 0)
        if any(wallet.address == first.address for wallet in found):
            return found
        self._wallets.put(first, self._settings.limits.max_wallets_per_chain)
        return sorted([*found, first], key=lambda wallet: wallet.salt)

    def create_wallet(
        self, owner: str, chain_id: int, salt: str, factory: str = ""
    ) -> tuple[Wallet, bool]:
        """The wallet of a salt (decimal or 0x-hexadecimal), and whether its record is new.

        `factory` defaults to the deployment's. Raises InvalidRequest with every problem, and
        QuotaExceeded beyond the wallets that the stage allows on one chain.
        """
        problems = _salt_problems(salt) + _factory_problems(factory)
        if problems:
            raise InvalidRequest("the wallet can't be derived", problems)
        number = int(salt, 16) if salt[:2] in ("0x", "0X") else int(salt)
        wallet = self._derive(owner, chain_id, number, factory)
        stored = self._wallets.get(owner, chain_id, wallet.address)
        if stored is not None:
            return stored, False
        return wallet, self._wallets.put(wallet, self._settings.limits.max_wallets_per_chain)

    def set_hidden(self, owner: str, chain_id: int, address: str, hidden: bool) -> Wallet:
        """The wallet after the change; raises NotFound for one that is not recorded."""
        checked = _address(address)
        wallet = self._wallets.get(owner, chain_id, checked) or self._wallets.find(owner, checked)
        if wallet is None:
            raise NotFound("no such wallet", code="WALLETS_NOT_FOUND")
        return wallet if wallet.hidden == hidden else self._wallets.set_hidden(wallet, hidden)

    def require(self, owner: str, chain_id: int, address: str) -> Wallet:
        """The owner's wallet at `address` on a chain; raises InvalidRequest for what is no address,
        NotFound for one that is not the owner's."""
        checked = _address(address)
        wallet = self._wallets.get(owner, chain_id, checked)
        if wallet is not None:
            return wallet
        elsewhere = self._wallets.find(owner, checked)
        if elsewhere is not None:
            return replace(elsewhere, chain_id=chain_id)
        first = self._derive(owner, chain_id, 0)
        if first.address != checked:
            raise NotFound("no such wallet", code="WALLETS_NOT_FOUND")
        return first

    def counts(self, owner: str, address: str) -> WalletCounts:
        """How many tasks the wallet has, by status; `total` includes running ones."""
        of = {
            status: self._tasks.count(owner, TaskFilter((address,), (status,)))
            for status in TaskStatus
        }
        return WalletCounts(
            total=sum(of.values()),
            enabled=of[TaskStatus.ENABLED],
            completed=of[TaskStatus.COMPLETED],
            failed=of[TaskStatus.FAILED],
            disabled=of[TaskStatus.DISABLED],
        )

    def owns(self, owner: str, address: str) -> bool:
        """Whether the owner may act through `address`: the wallet of salt 0, a recorded one, or
        one of the first salts of the deployment's factory. A malformed address is nobody's."""
        from task_engine.evm.address import Address, is_address  # noqa: PLC0415 - loads Keccak

        if not is_address(address):
            return False
        checked, chain_id = Address(address), self._settings.default_chain_id
        if self._derive(owner, chain_id, 0).address == checked:
            return True
        if self._wallets.find(owner, checked) is not None:
            return True
        salts = range(1, self._settings.limits.max_wallets_per_chain)
        return any(self._derive(owner, chain_id, salt).address == checked for salt in salts)

    def owned(self, owner: str, addresses: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `addresses` that are the owner's, checksummed."""
        return tuple(_address(text) for text in addresses if self.owns(owner, text))

    def _derive(self, owner: str, chain_id: int, salt: int, factory: str = "") -> Wallet:
        made_by = _address(factory) if factory else self._factories.default(chain_id)
        address = self._factories.address(chain_id, made_by, owner, salt)
        return Wallet(owner, chain_id, address, made_by, str(salt))


def _address(text: str) -> Address:
    from task_engine.evm.address import Address  # noqa: PLC0415 - loads Keccak

    return Address(text)


def _salt_problems(salt: str) -> tuple[Problem, ...]:
    form = _SALT.fullmatch(salt)
    if form and int(salt, 16 if salt[:2] in ("0x", "0X") else 10) <= _MAX_SALT:
        return ()
    text = "must be a whole number from 0 to 2^256-1, decimal or 0x-hexadecimal"
    return (Problem("WALLETS_BAD_SALT", "salt", text),)


def _factory_problems(factory: str) -> tuple[Problem, ...]:
    from task_engine.evm.address import is_address  # noqa: PLC0415 - loads Keccak

    if not factory or is_address(factory):
        return ()
    return (Problem("WALLETS_BAD_ADDRESS", "factoryAddress", "must be an address"),)
