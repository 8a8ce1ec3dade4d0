"""Nonces, withdrawals, user operations and tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from task_engine.errors import NodeError
from task_engine.evm.tokens import TokenMetadata
from task_engine.model.operation import OperationStatus

from tests.unit.api.partner import assertion
from tests.unit.api.world import CHAIN, OTHER, OWNER, World

TOKEN = "0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238"
TO = {"recipientAddress": OTHER.lower(), "token": "ETH"}


def withdraw(world: World, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    path = f"/wallets/{world.first_wallet()}:withdraw"
    return world.call("POST", path, body, headers=headers)


def test_a_nonce_is_a_decimal_text(world: World) -> None:
    world.vaults.nonces[world.first_wallet()] = 2**70
    answer = world.call("GET", f"/wallets/{world.first_wallet()}:getNonce")
    assert (answer.status, answer.json) == (200, {"nonce": str(2**70)})


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/wallets/0x12:getNonce", 400, "INVALID_ADDRESS"),
        (f"/wallets/{OTHER}:getNonce", 404, "WALLETS_NOT_FOUND"),
        ("{wallet}:getNonce?chainId=x", 400, "WALLETS_BAD_CHAIN_ID"),
        ("{wallet}:getNonce?chainId=84532", 503, "NONCE_UNAVAILABLE"),
        ("{wallet}:getNonce?chainId=77", 503, "NONCE_UNAVAILABLE"),
    ],
)
def test_nonces_that_can_not_be_told(world: World, path: str, status: int, code: str) -> None:
    path = path.replace("{wallet}", f"/wallets/{world.first_wallet()}")
    answer = world.call("GET", path)
    assert (answer.status, answer.json["code"]) == (status, code)


def test_a_withdrawal_is_sent_and_told(world: World) -> None:
    wallet = world.first_wallet()
    world.vaults.held[wallet, ""] = 10
    answer = withdraw(world, {**TO, "amount": "7"})
    assert answer.status == 200, answer.text
    (operation,) = world.operations.rows.values()
    assert answer.json == {
        "status": "pending",
        "userOpHash": operation.hash,
        "submittedAt": operation.created_at,
        "smartWalletAddress": wallet,
        "recipientAddress": OTHER,
        "amount": "7",
        "token": "ETH",
    }


def test_the_same_key_withdraws_once(world: World) -> None:
    world.vaults.held[world.first_wallet(), TOKEN] = 10
    body = {**TO, "token": TOKEN.lower(), "amount": "max"}
    first = withdraw(world, body, "k1")
    world.vaults.held[world.first_wallet(), TOKEN] = 0
    assert withdraw(world, body, "k1").json == first.json
    assert first.json["amount"] == "10"
    assert withdraw(world, body, "k2").json["code"] == "WITHDRAW_INSUFFICIENT_FUNDS"
    assert len(world.operations.rows) == 1


def test_all_of_the_coin_needs_somebody_else_to_pay_for_gas(world: World) -> None:
    world.vaults.held[world.first_wallet(), ""] = 10
    assert withdraw(world, {**TO, "amount": "MAX"}).json["code"] == "WITHDRAW_BAD_AMOUNT"
    world.vaults.sponsored = True
    assert withdraw(world, {**TO, "amount": "MAX"}).json["amount"] == "10"


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"recipientAddress": None}, "recipientAddress", "MISSING_REQUIRED_FIELD"),
        ({"recipientAddress": "0x12"}, "recipientAddress", "WITHDRAW_BAD_RECIPIENT"),
        ({"recipientAddress": "0x" + "0" * 40}, "recipientAddress", "WITHDRAW_BAD_RECIPIENT"),
        ({"amount": None}, "amount", "MISSING_REQUIRED_FIELD"),
        ({"amount": "0"}, "amount", "WITHDRAW_BAD_AMOUNT"),
        ({"amount": "-1"}, "amount", "WITHDRAW_BAD_AMOUNT"),
        ({"amount": "1.5"}, "amount", "WITHDRAW_BAD_AMOUNT"),
        ({"amount": str(2**256)}, "amount", "WITHDRAW_BAD_AMOUNT"),
        ({"token": None}, "token", "MISSING_REQUIRED_FIELD"),
        ({"token": "USDC"}, "token", "WITHDRAW_BAD_TOKEN"),
        ({"chainId": 0.5}, "chainId", "INVALID_REQUEST"),
        ({"note": "x"}, "note", "INVALID_REQUEST"),
    ],
)
def test_what_is_wrong_with_a_withdrawal_is_told_by_place(
    world: World, changes: dict[str, Any], path: str, code: str
) -> None:
    given = {**TO, "amount": "1", **changes}
    body = {name: value for name, value in given.items() if value is not None}
    answer = withdraw(world, body)
    assert answer.status == 400
    assert (path, code) in answer.problems
    assert world.operations.rows == {}


def test_everything_wrong_is_told_at_once(world: World) -> None:
    answer = withdraw(world, {"recipientAddress": "x", "amount": "x", "token": "x"})
    assert {path for path, _ in answer.problems} == {"recipientAddress", "amount", "token"}


def test_a_wallet_that_holds_too_little_pays_nothing(world: World) -> None:
    world.vaults.held[world.first_wallet(), ""] = 6
    answer = withdraw(world, {**TO, "amount": "7"})
    assert (answer.status, answer.json["code"]) == (400, "WITHDRAW_INSUFFICIENT_FUNDS")


def test_a_chain_that_does_not_answer_is_no_fault_of_the_caller(world: World) -> None:
    world.vaults.failure = NodeError("chain 1 is away", code="RPC_NODE_ERROR", retryable=True)
    answer = withdraw(world, {**TO, "amount": "7"})
    assert (answer.status, answer.json["code"]) == (503, "WITHDRAW_UNAVAILABLE")


def test_what_the_chain_refuses_is_told(world: World) -> None:
    world.vaults.failure = NodeError("no policy allows it", code="SMART_WALLET_RPC_ERROR")
    answer = withdraw(world, {**TO, "amount": "7"})
    assert (answer.status, answer.json["code"]) == (400, "WITHDRAW_BAD_REQUEST")


def test_an_operation_is_found_by_its_hash_in_any_case(world: World) -> None:
    # Given an operation that ended
    world.vaults.held[world.first_wallet(), ""] = 10
    withdraw(world, {**TO, "amount": "7"})
    (operation,) = world.operations.rows.values()
    receipt = {"transactionHash": "0x" + "ef" * 32, "blockNumber": "0x10"}
    done = replace(operation, status=OperationStatus.CONFIRMED, receipt=receipt)
    world.operations.save(done)
    # When its owner asks
    answer = world.call("GET", f"/userops/{operation.hash.upper().replace('0X', '0x')}")
    # Then it is told with its calls
    assert answer.json == {
        "userOpHash": operation.hash,
        "executionStatus": "confirmed",
        "sender": world.first_wallet(),
        "calls": [{"to": OTHER, "value": "7", "data": "0x"}],
        "transactionHash": "0x" + "ef" * 32,
        "blockNumber": 16,
        "success": True,
    }
    assert world.call("GET", f"/userops/{operation.hash}", owner=OTHER).status == 404
    assert world.call("GET", "/userops/0x12").json["code"] == "USEROP_NOT_FOUND"


def test_a_token_is_told_to_partners_alone(world: World) -> None:
    lower = TOKEN.lower()
    world.tokens.known[lower] = TokenMetadata(True, lower, "USDC", "USD Coin", 6, "whitelist")
    header = {"X-Partner-Assertion": assertion(world.clock.ms)}
    path = f"/tokens/0X{TOKEN[2:].upper()}"
    answer = world.call("GET", path, token="", headers=header)
    assert answer.json == {
        "found": True,
        "address": lower,
        "chainId": CHAIN,
        "name": "USD Coin",
        "symbol": "USDC",
        "decimals": 6,
        "source": "whitelist",
    }
    # A user's token is not enough, and does no harm beside the assertion
    assert world.call("GET", path).status == 401
    assert world.call("GET", path, headers=header).status == 200


def test_what_is_no_token_is_told_so(world: World) -> None:
    header = {"X-Partner-Assertion": assertion(world.clock.ms, sub=OWNER)}
    found = world.call("GET", f"/tokens/{OTHER}", token="", headers=header).json
    assert found == {"found": False, "address": OTHER.lower(), "chainId": CHAIN}
    answer = world.call("GET", "/tokens/0x12", token="", headers=header)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_ADDRESS")
