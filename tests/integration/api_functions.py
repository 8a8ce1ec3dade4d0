"""The API's functions as deployed, in this process: each AWS call is heard and timed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from unittest.mock import patch

from task_engine.aws.token_signer import KmsTokenSigner
from task_engine.aws.wire import AwsClient
from task_engine.services.tokens_jwt import issue_token

from tests.unit.api.events import proxy_event

CHAIN = 11155111
ONE_SHOT = ("nodes:run", "triggers:run", "workflows:simulate", "workflows:estimateFees")
PUBLIC = ("health", "auth:exchange", "openapi.json", "docs")


@dataclass(frozen=True)
class Measured:
    """An answer, the AWS calls that it took, and the milliseconds that were not theirs."""

    status: int
    body: Any
    calls: tuple[str, ...]
    own_ms: float


@dataclass
class ApiFunctions:
    """Calls handlers as one owner; `seconds` is the time that AWS calls took so far."""

    owner: str
    token: str = ""
    calls: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Measured:
        """One request through the function that its path belongs to."""
        given = {"Authorization": f"Bearer {self.token}", **headers}
        event = proxy_event(method, path, body=body, headers=given)
        handler = _handler(path)
        self.calls.clear()
        self.seconds = 0.0
        begun = time.perf_counter()
        answer = handler(event, None)
        own = time.perf_counter() - begun - self.seconds
        text = answer["body"] or "null"
        document = json.loads(text) if text[:1] in '{["n' else text
        return Measured(answer["statusCode"], document, tuple(self.calls), own * 1000)


@contextmanager
def api_functions(environment: dict[str, str], owner: str) -> Iterator[ApiFunctions]:
    """Functions with these variables, warm as after their first request, and forgotten after."""
    functions = ApiFunctions(owner)
    original = AwsClient._send

    def heard(client: AwsClient, operation: str, request: Any) -> Any:
        functions.calls.append(operation)
        begun = time.perf_counter()
        try:
            return original(client, operation, request)
        finally:
            functions.seconds += time.perf_counter() - begun

    with patch.dict("os.environ", environment), patch.object(AwsClient, "_send", heard):
        _forget()
        try:
            core = import_module("task_engine.bootstrap.core")
            signer = KmsTokenSigner(core.client("kms"), core.settings())
            functions.token = issue_token(signer, owner, CHAIN, int(time.time()) + 3600)
            yield functions
        finally:
            _forget()


def _handler(path: str) -> Any:
    word = path.lstrip("/").partition("?")[0].partition("/")[0]
    name = word.partition(":")[0]
    if word in ONE_SHOT:
        name = "nodes"
    elif word in PUBLIC:
        name = "auth"
    return import_module(f"functions.api_{name}.handler").lambda_handler


def _forget() -> None:
    """What the wiring made for other variables."""
    for name, module in list(sys.modules.items()):
        if name.startswith("task_engine.bootstrap."):
            for made in vars(module).values():
                if hasattr(made, "cache_clear"):
                    made.cache_clear()
