"""JSON-RPC to the nodes of one chain: in batches, over several URLs, with patience."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence

from task_engine.clock import Clock, SystemClock
from task_engine.evm.failures import RpcError, is_transient
from task_engine.evm.node import MOST_CALLS, Answer, Node, RpcRequest, Unreachable
from task_engine.evm.transport import Transport
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonValue

_ROUNDS = 4
_BASE_SECONDS = 0.1
_MOST_SECONDS = 2.0
_PATIENCE_SECONDS = 25.0


class Rpc:
    """The nodes of one chain; one for a process, safe for threads.

    Throttling, 5xx, broken connections and answers that are none are tried on every URL in turn,
    four rounds with jittered pauses; a URL that fails rests for a while, then the first one is
    preferred again. Calls that send something are tried again too: the chain takes it once, known
    by its hash. Without `check_chain` (bundlers, paymasters) the chain id is not asked.
    """

    def __init__(
        self,
        chain: Chain,
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timeout_seconds: float = 10.0,
        check_chain: bool = True,
    ) -> None:
        self._chain = chain
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._timeout = timeout_seconds
        transport = Transport()
        self._nodes = [
            Node(chain.id, url, transport, checked=check_chain) for url in chain.rpc_urls
        ]

    @property
    def chain_id(self) -> int:
        """Of the chain that every answer is about."""
        return self._chain.id

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        """The result of one call; raises RpcError."""
        [answer] = self.batch([(method, list(params))])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[RpcRequest], *, until: float | None = None) -> list[Answer]:
        """The results in the calls' order, one HTTP round trip for a hundred calls.

        A call that the node refuses has its RpcError for a result; those refused for a passing
        reason are asked again first. `until` is a time of the monotonic clock (25 seconds from
        now if None). Raises RpcError when no node gave an answer.
        """
        latest = self._clock.monotonic() + _PATIENCE_SECONDS if until is None else until
        answers: list[Answer] = []
        for start in range(0, len(calls), MOST_CALLS):
            answers += self._answers(calls[start : start + MOST_CALLS], latest)
        return answers

    def _answers(self, calls: Sequence[RpcRequest], until: float) -> list[Answer]:
        answers: dict[int, Answer] = {}
        waiting = list(range(len(calls)))
        failures: dict[str, Unreachable] = {}
        for node in self._tries(until):
            try:
                got = node.ask([calls[place] for place in waiting], lambda: self._timeout_at(until))
            except Unreachable as error:
                failures[node.host] = error
                node.failed(self._clock.monotonic(), error)
                continue
            answers.update(zip(waiting, got, strict=True))
            waiting = [place for place in waiting if _passes(answers[place])]
            if not waiting:
                break
            node.failed(self._clock.monotonic(), Unreachable("is asked too much"))
        if len(answers) < len(calls):
            raise self._unavailable(failures)
        return [answers[place] for place in range(len(calls))]

    def _tries(self, until: float) -> Iterator[Node]:
        """The nodes to try one after the other, with a pause after each round."""
        now = self._clock.monotonic()
        nodes = sorted(self._nodes, key=lambda node: node.rests(now))
        for turn in range(1, _ROUNDS + 1):
            for node in nodes:
                if self._clock.monotonic() >= until:
                    return
                yield node
            nodes = [node for node in nodes if node.may_pass]
            if not nodes or turn == _ROUNDS:
                return
            now = self._clock.monotonic()
            pause = random.uniform(0, min(_MOST_SECONDS, _BASE_SECONDS * 2**turn))
            pause += min(node.wait_seconds(now) for node in nodes)
            if now + pause >= until:
                return
            self._sleep(pause)

    def _timeout_at(self, until: float) -> float:
        return min(self._timeout, until - self._clock.monotonic())

    def _unavailable(self, failures: dict[str, Unreachable]) -> RpcError:
        chain = f"chain {self.chain_id}"
        if not self._nodes:
            return RpcError(f"{chain} has no RPC URL here")
        if not failures:
            return RpcError(f"{chain}: no time was left to ask a node", may_retry=True)
        told = "; ".join(f"{host} {failure.reason}" for host, failure in failures.items())
        may_retry = any(failure.may_pass for failure in failures.values())
        return RpcError(f"{chain} can't be asked: {told}", may_retry=may_retry)


def _passes(answer: Answer) -> bool:
    """Whether the call may be answered in a moment, or by another node."""
    return (
        isinstance(answer, RpcError)
        and not answer.data
        and is_transient(answer.rpc_code, answer.message)
    )
