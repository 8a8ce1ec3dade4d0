"""Smart wallets: list, create, hide, nonce, withdraw."""

from __future__ import annotations

from urllib.parse import quote

from task_engine_client.document import Document, given, objects, text
from task_engine_client.records import Wallet
from task_engine_client.transport import Transport


class Wallets:
    """Calls below /wallets; each raises ApiError and Unreachable. Chains default to the token's."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, chain_id: int | None = None) -> tuple[Wallet, ...]:
        """All wallets, hidden ones included; the first one is made when there is none."""
        answer = self._transport.send("GET", "/wallets", query={"chainId": chain_id})
        return tuple(Wallet.of(item) for item in objects(answer, "data"))

    def create(self, salt: str | int, *, factory: str = "", chain_id: int | None = None) -> Wallet:
        """The wallet of a salt; the same salt gives the same wallet again."""
        body = given(
            [("salt", str(salt)), ("factoryAddress", factory or None), ("chainId", chain_id)]
        )
        return Wallet.of(self._transport.send("POST", "/wallets", body))

    def set_hidden(self, address: str, hidden: bool, *, chain_id: int | None = None) -> Wallet:
        """Hide a wallet, or show it again."""
        body = {"isHidden": hidden}
        query = {"chainId": chain_id}
        return Wallet.of(self._transport.send("PATCH", _path(address), body, query=query))

    def nonce(self, address: str, *, chain_id: int | None = None) -> str:
        """The next nonce, decimal."""
        path = f"{_path(address)}:getNonce"
        return text(self._transport.send("GET", path, query={"chainId": chain_id}), "nonce")

    def withdraw(
        self,
        address: str,
        recipient: str,
        amount: str,
        *,
        token: str = "ETH",  # noqa: S107 an asset
        chain_id: int | None = None,
    ) -> Document:
        """Send `amount` (wei or `max`) of a token out of a wallet. Never repeated by itself."""
        body = given(
            [
                ("recipientAddress", recipient),
                ("amount", amount),
                ("token", token),
                ("chainId", chain_id),
            ]
        )
        answer: Document = self._transport.send("POST", f"{_path(address)}:withdraw", body)
        return answer


def _path(address: str) -> str:
    return f"/wallets/{quote(address, safe='')}"
