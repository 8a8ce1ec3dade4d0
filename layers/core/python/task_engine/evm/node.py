"""One URL of a chain's node: what it is asked, whether its answer is one, when it had better rest.

https://www.jsonrpc.org/specification
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

from task_engine.evm.failures import (
    RpcError,
    asks_for_smaller_batch,
    error_of,
    is_transient_status,
    keys_in,
)
from task_engine.evm.transport import NoAnswer, Place, Reply, Transport
from task_engine.model.json_value import JsonValue

RpcRequest: TypeAlias = "tuple[str, list[JsonValue]]"
Answer: TypeAlias = "JsonValue | RpcError"

MOST_CALLS = 100
_CHAIN_ID: RpcRequest = ("eth_chainId", [])
_REST_SECONDS = 10.0
_LONG_REST_SECONDS = 60.0


class Unreachable(Exception):
    """The node gave no usable answer. `may_pass` says whether it may in a moment, `wait_seconds`
    for how long it asked to be left alone."""

    def __init__(self, reason: str, *, may_pass: bool = True, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_pass = may_pass
        self.wait_seconds = wait_seconds


class _TooLarge(Exception):
    """The batch was refused as a whole; a smaller one may not be."""


class Node:
    """Asks one URL, which nothing that it says repeats; safe for threads."""

    def __init__(self, chain_id: int, url: str, transport: Transport, *, checked: bool) -> None:
        """With `checked` the node's chain id is asked with the first calls, and must be right."""
        self._chain_id = chain_id
        self._place = Place.of(url)
        self._keys = keys_in(url)
        self._transport = transport
        self._to_check = checked
        self._most = MOST_CALLS
        self._rests_until = 0.0
        self._free_at = 0.0
        self.may_pass = True

    @property
    def host(self) -> str:
        """All of the URL that may be shown."""
        return self._place.host

    def rests(self, now: float) -> bool:
        """Whether another node is the better choice at the moment."""
        return now < self._rests_until

    def wait_seconds(self, now: float) -> float:
        """How much longer it asked to be left alone."""
        return max(0.0, self._free_at - now)

    def failed(self, now: float, failure: Unreachable) -> None:
        """Let it rest: longer when it is not a matter of moments."""
        self.may_pass = failure.may_pass
        rest = _REST_SECONDS if failure.may_pass else _LONG_REST_SECONDS
        self._free_at = now + failure.wait_seconds
        self._rests_until = now + max(rest, failure.wait_seconds)

    def ask(self, calls: Sequence[RpcRequest], timeout: Callable[[], float]) -> list[Answer]:
        """The answer of each call; raises Unreachable. `timeout` tells the seconds for the next
        request: there are several when the node takes no batch of this size."""
        answers: list[Answer] = []
        size = self._most
        while len(answers) < len(calls):
            chunk = calls[len(answers) : len(answers) + size]
            try:
                answers += self._exchange(chunk, timeout)
            except _TooLarge as error:
                if len(chunk) == 1:
                    raise Unreachable("refuses the request", may_pass=False) from error
                size = (len(chunk) + 1) // 2
        # Remembered only if it helped: a refusal that had other reasons is repeated for one call.
        if any(not isinstance(answer, RpcError) for answer in answers):
            self._most = min(self._most, size)
        self._rests_until = 0.0
        self.may_pass = True
        return answers

    def _exchange(self, calls: Sequence[RpcRequest], timeout: Callable[[], float]) -> list[Answer]:
        if not self._to_check:
            return self._post(calls, timeout())
        if self._most > 1:
            try:
                first, *answers = self._post([_CHAIN_ID, *calls], timeout())
            except _TooLarge:
                self._check(self._post([_CHAIN_ID], timeout())[0])
            else:
                self._check(first)
                return answers
        else:
            self._check(self._post([_CHAIN_ID], timeout())[0])
        return self._post(calls, timeout())

    def _check(self, answer: Answer) -> None:
        if isinstance(answer, RpcError):
            raise Unreachable("does not tell its chain", may_pass=answer.may_retry)
        try:
            chain_id = int(str(answer), 16)
        except ValueError as error:
            raise Unreachable("does not tell its chain", may_pass=False) from error
        if chain_id != self._chain_id:
            raise Unreachable(f"is of chain {chain_id}", may_pass=False)
        self._to_check = False

    def _post(self, calls: Sequence[RpcRequest], timeout_seconds: float) -> list[Answer]:
        if timeout_seconds <= 0:
            raise Unreachable("no time was left to ask it")
        requests = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls, 1)
        ]
        document = requests[0] if len(requests) == 1 else requests
        body = json.dumps(document, separators=(",", ":")).encode()
        try:
            reply = self._transport.post(self._place, body, timeout_seconds)
        except NoAnswer as error:
            raise Unreachable(str(error)) from error
        return self._read(reply, len(calls))

    def _read(self, reply: Reply, count: int) -> list[Answer]:
        if reply.status == 413:
            raise _TooLarge
        # Some answer a wrong call with 400; every other status is about the request as a whole.
        if reply.status not in (200, 400):
            raise _status_failure(reply)
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            if reply.status != 200:
                raise _status_failure(reply) from error
            raise Unreachable("answered with no JSON") from error
        found = document if isinstance(document, list) else [document]
        if count > 1 and not isinstance(document, list):
            raise self._refused_batch(document)
        answers = {} if count == 1 and len(found) != 1 else _by_number(found, alone=count == 1)
        if set(answers) != set(range(1, count + 1)):
            raise _status_failure(reply) if reply.status != 200 else _malformed()
        return [self._answer(answers[number]) for number in range(1, count + 1)]

    def _answer(self, document: dict[str, JsonValue]) -> Answer:
        error = document.get("error")
        if isinstance(error, dict):
            return error_of(error, self._keys)
        if error is not None or "result" not in document:
            raise _malformed()
        return document["result"]

    def _refused_batch(self, document: JsonValue) -> Exception:
        """For one answer to many calls."""
        error = document.get("error") if isinstance(document, dict) else None
        if not isinstance(error, dict):
            return _malformed()
        refusal = error_of(error, self._keys)
        return _TooLarge() if asks_for_smaller_batch(refusal) else Unreachable(refusal.message)


def _by_number(found: list[JsonValue], *, alone: bool) -> dict[int, dict[str, JsonValue]]:
    """The answers by the number of their call; empty when one of them answers nothing."""
    answers: dict[int, dict[str, JsonValue]] = {}
    for document in found:
        number = document.get("id") if isinstance(document, dict) else None
        if alone and number is None and isinstance(document, dict) and "error" in document:
            number = 1  # The node could not tell which call it could not read.
        if isinstance(number, str) and number.isdecimal():
            number = int(number)
        if type(number) is not int or number in answers or not isinstance(document, dict):
            return {}
        answers[number] = document
    return answers


def _malformed() -> Unreachable:
    return Unreachable("answered with no JSON-RPC")


def _status_failure(reply: Reply) -> Unreachable:
    passing = is_transient_status(reply.status)
    reason = f"answered with HTTP status {reply.status}"
    return Unreachable(reason, may_pass=passing, wait_seconds=reply.wait_seconds if passing else 0)
