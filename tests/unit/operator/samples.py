"""Checks and logs that tests are made of."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from task_engine.evm.address import keccak256
from task_engine.operator.checks import BlockCheck, CheckHead, EventCheck, block_check, event_check
from task_engine.operator.logs import Log

CHAIN = 31337
OWNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
WALLET = "0x" + "aa" * 20
OTHER = "0x" + "bb" * 20
TOKEN = "0x" + "11" * 20
SECOND_TOKEN = "0x" + "22" * 20
TRANSFER = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()
BLOCK_HASH = "0x" + "b1" * 32
TRANSACTION = "0x" + "7a" * 32
LATEST = {
    "type": "function",
    "name": "latestRoundData",
    "stateMutability": "view",
    "inputs": [],
    "outputs": [
        {"name": "roundId", "type": "uint80"},
        {"name": "answer", "type": "int256"},
        {"name": "updatedAt", "type": "uint256"},
    ],
}


def event_abi(name: str, *inputs: tuple[str, str, bool]) -> dict[str, Any]:
    """`inputs` are name, type, indexed."""
    listed = [{"name": n, "type": t, "indexed": i} for n, t, i in inputs]
    return {"type": "event", "name": name, "inputs": listed}


TRANSFER_ABI = event_abi(
    "Transfer", ("from", "address", True), ("to", "address", True), ("value", "uint256", False)
)


def topic0(abi: dict[str, Any]) -> str:
    types = ",".join(parameter["type"] for parameter in abi["inputs"])
    return "0x" + keccak256(f"{abi['name']}({types})".encode()).hex()


def word(number: int) -> str:
    return "0x" + (number % 2**256).to_bytes(32, "big").hex()


def address_topic(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


def make_log(
    topics: tuple[str, ...] = (),
    data: str = "0x",
    address: str = TOKEN,
    *,
    block: int = 1,
    index: int = 0,
    block_hash: str = BLOCK_HASH,
) -> Log:
    return Log(address, topics, data, block, block_hash, TRANSACTION, 0, index)


def log_of(abi: dict[str, Any], *values: Any, **where: Any) -> Log:
    """The log that a contract would emit: value types in topics and data as the ABI says."""
    topics, stored = [topic0(abi)], []
    for parameter, value in zip(abi["inputs"], values, strict=True):
        encoded = encode([parameter["type"]], [value])
        if not parameter["indexed"]:
            stored.append((parameter["type"], value))
        elif parameter["type"] in ("string", "bytes"):
            raw = value.encode() if isinstance(value, str) else value
            topics.append("0x" + keccak256(raw).hex())
        else:
            topics.append("0x" + encoded.hex())
    data = "0x" + encode([t for t, _ in stored], [v for _, v in stored]).hex()
    return make_log(tuple(topics), data, **where)


def transfer(sender: str, to: str, value: int, **where: Any) -> Log:
    return log_of(TRANSFER_ABI, sender, to, value, **where)


def watch_events(name: str, *queries: dict[str, Any], **config: Any) -> EventCheck:
    head = CheckHead(name, OWNER, wallet=WALLET)
    settings = {"chainId": CHAIN, "cooldownSeconds": 0, **config}
    return event_check(head, {**settings, "queries": list(queries)})


def watch_blocks(name: str, interval: int) -> BlockCheck:
    return block_check(CheckHead(name, OWNER), {"chainId": CHAIN, "interval": interval})


def where(field: str, operator: str, value: str, kind: str = "") -> dict[str, str]:
    return {"fieldName": field, "operator": operator, "value": value, "fieldType": kind}
