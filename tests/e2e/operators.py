"""An operator of its own key that the tests speak for."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

from task_engine.evm.signer import LocalSigner
from task_engine.operator.check_codec import page_from_json
from task_engine.operator.checks import Check
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notices import NoticeWriter
from task_engine.operator.signed_request import signed_headers

from infra_cdk.local.client import Answer, ApiClient
from tests.e2e.engine import Json

# Blocks that a development chain never gets to: the deployment's own operator is silent.
FAR = 7_250_000
CHAIN = 11155111


class Now:
    """The machine's clock, as far as notices need it."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class TestOperator:
    """Signs requests and notices."""

    __test__ = False

    api: ApiClient
    signer: LocalSigner = field(default_factory=lambda: LocalSigner("0x" + os.urandom(32).hex()))

    def send(self, method: str, path: str, body: Json = None, **query: Json) -> Answer:
        """A signed request."""
        content = b"" if body is None else json.dumps(body).encode()
        values = {name: (str(value),) for name, value in query.items()}
        asked = (method, path, values, content)
        headers = signed_headers(self.signer, asked, Now().now_ms())
        anonymous = replace(self.api, token="")
        return anonymous.request(method, path, content or None, query, headers)

    def register(self, *chains: int) -> Json:
        """A heartbeat that says it watches these chains."""
        blocks = {str(chain): 1 for chain in chains or (CHAIN,)}
        path = f"/operators/{self.signer.address}:heartbeat"
        answer = self.send("POST", path, {"version": "test", "chains": blocks})
        assert answer.status == 200, answer.body
        return answer.body

    def checks(self, chain: int = CHAIN) -> dict[str, Check]:
        """All checks of a chain."""
        found: dict[str, Check] = {}
        after, more = "", True
        while more:
            query: dict[str, Any] = {"chainId": chain, **({"after": after} if after else {})}
            answer = self.send("GET", f"/operators/{self.signer.address}/checks", **query)
            assert answer.status == 200, answer.body
            page = page_from_json(answer.body)
            found |= {check.id: check for check in page.checks}
            after, more = page.cursor, page.more
        return found

    def notice(self, check: Check, number: int = FAR, **changes: Any) -> Json:
        """A signed notice of a block."""
        where = Occurrence(check.chain_id, number, f"0x{number:064x}")
        output: dict[str, Any] = {"blockNumber": number, "blockHash": where.block_hash}
        finding = Finding(Kind.BLOCK, check.id, check.owner, check.version, where, output)
        return NoticeWriter(self.signer, Now()).write(replace(finding, **changes))


def block_task() -> Json:
    """A block trigger that only these notices fire."""
    return {"type": "block", "config": {"interval": FAR, "chainId": CHAIN}}
