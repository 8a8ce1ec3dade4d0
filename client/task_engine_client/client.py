"""The client: one object with the API's resources."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

import httpx

from task_engine_client.execution import Execution
from task_engine_client.records import Health
from task_engine_client.resources.auth import Auth
from task_engine_client.resources.executions import Executions
from task_engine_client.resources.operators import Operators
from task_engine_client.resources.secrets import Secrets
from task_engine_client.resources.single_runs import Nodes, Triggers
from task_engine_client.resources.tokens import Tokens
from task_engine_client.resources.wallets import Wallets
from task_engine_client.resources.workflows import Workflows
from task_engine_client.transport import Retries, Transport
from task_engine_client.version import VERSION

DEFAULT_TIMEOUT = httpx.Timeout(35.0, connect=5.0)
"""Above the 29 s for which a gateway holds a blocking trigger."""


class Client:
    """Calls the API at `base_url` (it ends in `/api/v1`) as the owner of `token`.

    `http` replaces the HTTP client (proxies, certificates, tests); `renew` gives a new token when
    one is refused; `sleep` is how it pauses; `assertion` is a partner's, for what partners may do.
    Use it as a context manager, or close it.
    """

    def __init__(  # noqa: PLR0913 all but two by name, none of them needed
        self,
        base_url: str,
        token: str = "",
        *,
        http: httpx.Client | None = None,
        retries: Retries | None = None,
        renew: Callable[[], str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        assertion: str = "",
    ) -> None:
        self._http = http or httpx.Client(
            timeout=DEFAULT_TIMEOUT, headers={"User-Agent": f"task-engine-client/{VERSION}"}
        )
        self._transport = Transport(
            base_url.rstrip("/"), token, self._http, retries or Retries(), renew, sleep, assertion
        )
        self.auth = Auth(self._transport)
        self.executions = Executions(self._transport)
        self.nodes = Nodes(self._transport)
        self.operators = Operators(self._transport)
        self.secrets = Secrets(self._transport)
        self.tokens = Tokens(self._transport)
        self.triggers = Triggers(self._transport)
        self.wallets = Wallets(self._transport)
        self.workflows = Workflows(self._transport)

    @property
    def base_url(self) -> str:
        """The address without a slash at its end."""
        return self._transport.base_url

    @property
    def token(self) -> str:
        """The token that requests carry now."""
        return self._transport.token

    def health(self) -> Health:
        """Whether the service answers; needs no token."""
        return Health.of(self._transport.send("GET", "/health"))

    def wait(
        self,
        workflow_id: str,
        execution_id: str,
        *,
        timeout: float = 600,
        on_change: Callable[[Execution], object] | None = None,
    ) -> Execution:
        """The execution once it is final; see `Executions.wait`."""
        return self.executions.wait(workflow_id, execution_id, timeout=timeout, on_change=on_change)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
