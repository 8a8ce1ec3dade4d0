"""A development chain that mines when told to, with tokens that emit logs."""

from __future__ import annotations

import time
from typing import Any

import urllib3
from task_engine.evm.address import Address, keccak256

from infra_cdk.local.contracts import DevelopmentNode, install_token

TRANSFER = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()
MINT = keccak256(b"mint(address,uint256)")[:4].hex()
AHEAD_SECONDS = 100
"""How much later than all before the blocks are that tests mine."""


class LogChain:
    """Anvil without automatic mining. Its clock is ahead, so that what was there before the tests
    begin is long past for them."""

    def __init__(self, url: str, tokens: int = 3) -> None:
        self.url = url
        self.node = DevelopmentNode(url)
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        self.tokens = [install_token(url, f"Token {n}", f"T{n}", 6) for n in range(tokens)]
        self.node.call("evm_setAutomine", False)
        self.accounts: list[str] = self.node.call("eth_accounts")
        self.node.call("anvil_setTime", int(time.time()) + AHEAD_SECONDS)
        self.base = self.height()

    def height(self) -> int:
        return int(self.node.call("eth_blockNumber"), 16)

    def mine(self, *minted: tuple[Address, str, int]) -> None:
        """One block in which (token, to, amount) are minted, in this order."""
        calls = [
            (
                "eth_sendTransaction",
                [
                    {
                        "from": self.accounts[0],
                        "to": token,
                        "gas": hex(120_000),
                        "data": f"0x{MINT}{to[2:].lower():>064}{amount:064x}",
                    }
                ],
            )
            for token, to, amount in minted
        ]
        self._batch([*calls, ("evm_mine", [])])

    def roll_back(self, blocks: int) -> None:
        """Leave that many blocks, with what was in them."""
        self.node.call("anvil_rollback", blocks)

    def headers(self, first: int, last: int) -> dict[int, dict[str, Any]]:
        asked = [("eth_getBlockByNumber", [hex(n), False]) for n in range(first, last + 1)]
        return {int(block["number"], 16): block for block in self._batch(asked)}

    def logs(self, first: int, last: int) -> list[dict[str, Any]]:
        """All logs, unfiltered."""
        found: list[dict[str, Any]] = self.node.call(
            "eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last)}
        )
        return found

    def _batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        body = [
            {"jsonrpc": "2.0", "id": n, "method": method, "params": params}
            for n, (method, params) in enumerate(calls)
        ]
        answers = self._http.request("POST", self.url, json=body).json()
        errors = [answer["error"] for answer in answers if "error" in answer]
        assert not errors, errors[0]
        return [answer["result"] for answer in sorted(answers, key=lambda answer: answer["id"])]
