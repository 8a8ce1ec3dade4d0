"""Which kind of wallet a chain's settings name."""

from __future__ import annotations

from task_engine.errors import ConfigurationError
from task_engine.evm.address import Address
from task_engine.evm.wallets.modular_account_v2 import ModularAccountProvider
from task_engine.evm.wallets.provider import WalletProvider
from task_engine.evm.wallets.session_account import SessionAccountProvider
from task_engine.evm.wallets.simple_account import SimpleAccountProvider

_PROVIDERS: dict[str, type[SimpleAccountProvider] | type[SessionAccountProvider]] = {
    "simple_account": SimpleAccountProvider,
    "session_account": SessionAccountProvider,
}


def wallet_provider(name: str, entry_point: str = "0.7", factory: str = "") -> WalletProvider:
    """The provider of that name; an empty factory is the published one of its entry point.

    Raises ConfigurationError for a name, or a pair of name and entry point, that there is not.
    """
    place = Address(factory) if factory else None
    if name == "modular_account_v2" and entry_point == "0.7":
        return ModularAccountProvider(place)
    if name not in _PROVIDERS or entry_point not in ("0.7", "0.8"):
        raise ConfigurationError(f"there are no {name} wallets of entry point {entry_point}")
    return _PROVIDERS[name](entry_point, place)
