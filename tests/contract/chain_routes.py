"""Routes of wallets, policies, operations and operators, called with what is really on chain."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from task_engine.clock import SystemClock
from task_engine.evm.signer import LocalSigner
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notices import NoticeWriter
from task_engine.operator.signed_request import signed_headers

from infra_cdk.local.client import ApiClient
from tests.e2e.chains import ETHER, OnChain

Call = Callable[..., Any]
PAYEE = "0x00000000000000000000000000000000000000AA"


def use_wallets(owner: OnChain, call: Call) -> None:
    """A policy from its preparation to its end, and a withdrawal under it."""
    owner.fund()
    wallet = {"address": owner.wallet}
    call("GET /wallets/{address}:getNonce", 200, **wallet)
    call("GET /wallets/{address}:getNonce", 503, query={"chainId": 77}, **wallet)
    policy = {
        "chainId": owner.chain_id,
        "agentLabel": "described",
        "allowedActions": [owner.action(PAYEE, "", value=ETHER)],
        "erc20SpendCap": {"token": owner.token, "amount": "1"},
    }
    asked = {**policy, "expiresInSeconds": 3600, "justification": "to see"}
    prepared = call("POST /wallets/{address}/policies:prepare", 200, asked, **wallet)
    call("POST /wallets/{address}/policies:prepare", 400, {"agentLabel": "x"}, **wallet)
    signed = owner.account.sign_typed_data(full_message=prepared["typedData"])
    echo = ("policyId", "chainId", "entityId", "deadline", "validUntil")
    body = {**policy, **{name: prepared[name] for name in echo}, "justification": "to see"}
    body["signature"] = "0x" + signed.signature.hex()
    call("POST /wallets/{address}/policies:submit", 201, body, **wallet)
    call("POST /wallets/{address}/policies:submit", 409, body, **wallet)
    assert call("GET /wallets/{address}/policies", 200, **wallet)["items"]
    one = {**wallet, "policyId": prepared["policyId"]}
    call("GET /wallets/{address}/policies/{policyId}", 200, **one)
    paid = {"recipientAddress": PAYEE, "amount": "5", "token": "ETH"}
    sent = call("POST /wallets/{address}:withdraw", 200, paid, **wallet)
    call("POST /wallets/{address}:withdraw", 400, {**paid, "amount": "many"}, **wallet)
    found = call("GET /userops/{userOpHash}", 200, userOpHash=sent["userOpHash"])
    assert found["executionStatus"] in ("confirmed", "pending")
    call("GET /userops/{userOpHash}", 404, userOpHash="0x12")
    call("DELETE /wallets/{address}/policies/{policyId}", 200, **one)
    call("GET /wallets/{address}/policies/{policyId}", 200, **one)
    call("DELETE /wallets/{address}/policies/{policyId}", 404, **wallet, policyId="0x12")
    # Of partners alone, and this deployment knows none.
    call("GET /tokens/{address}", 401, address=owner.token)


def use_operators(api: ApiClient, call: Call) -> None:
    """An operator registers, asks what to watch, and tells what it found."""
    signer = LocalSigner("0x" + os.urandom(32).hex())
    at = {"address": str(signer.address)}

    def signed(operation: str, status: int, body: Any = None, **query: str) -> Any:
        method, _, template = operation.partition(" ")
        content = b"" if body is None else json.dumps(body).encode()
        request = (method, template.format(**at), {k: [v] for k, v in query.items()}, content)
        headers = signed_headers(signer, request, int(time.time() * 1000))
        sent = None if body is None else content
        return call(operation, status, sent, query=query, headers=headers, **at)

    call("GET /operators", 200)
    signed("POST /operators/{address}:heartbeat", 200, {"version": "1", "chains": {"5": 7}})
    signed("POST /operators/{address}:heartbeat", 400, {"chains": {"x": 7}})
    assert signed("GET /operators/{address}/checks", 200, chainId="11155111")["full"] is True
    signed("GET /operators/{address}/checks", 400, chainId="x")
    where = Occurrence(11155111, 1, "0x" + "ab" * 32)
    finding = Finding(Kind.BLOCK, "01kdvt7qbgyx0wd3f8hq2m4n5p", api.owner, 1, where, {})
    notice = NoticeWriter(signer, SystemClock()).write(finding)
    signed("POST /operators/notices", 202, {"notices": [notice]})
    signed("POST /operators/notices", 400, {"notices": [{**notice, "id": "other"}]})
    assert str(signer.address) in {row["address"] for row in call("GET /operators", 200)["data"]}
