"""The one classifier of what goes wrong on the wire."""

from __future__ import annotations

import ssl

from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from task_engine.errors import NodeError

TRANSPORT = "RPC_NODE_ERROR"


def transport_failure(error: Exception) -> NodeError:
    """The node's error for a failure of socket, TLS, http.client or urllib3. Says "timeout" or
    "connection error", and never repeats an address, URL or header."""
    if isinstance(error, TimeoutError | ReadTimeoutError):
        return timed_out()
    if isinstance(error, DecodeError):
        return NodeError("the response can't be decompressed", code=TRANSPORT)
    if isinstance(error, ssl.SSLCertVerificationError) or "certificate" in str(error).lower():
        return NodeError(
            "connection error: the server's certificate can't be trusted", code=TRANSPORT
        )
    return NodeError(f"connection error: {_reason(error)}", code=TRANSPORT, retryable=True)


def timed_out() -> NodeError:
    """The deadline passed."""
    return NodeError(
        "timeout: the server did not answer completely in time", code=TRANSPORT, retryable=True
    )


def too_large(limit: int) -> NodeError:
    """More than `limit` bytes, decompressed, came."""
    return NodeError(f"the response is larger than {limit} bytes", code="INVALID_REQUEST")


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the server refused the connection"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the server closed the connection"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, HTTPError):
        return "the response ended early"
    return "the server did not answer in HTTP"
