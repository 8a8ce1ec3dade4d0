"""A URL taken apart once: what is checked is what is connected to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from task_engine.errors import NodeError
from task_engine.net.address_guard import literal_address

_PORTS = {"http": 80, "https": 443}
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
# Reserved and unreserved characters of RFC 3986, and % of what is encoded already.
_KEPT = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is lower case, ASCII, a name or a literal address in plain spelling (IPv6 without
    brackets); `path` is what stands in the request line, query included."""

    scheme: str
    host: str
    port: int
    path: str
    literal: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454)."""
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """Host and, where it isn't the scheme's own, port: the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_target(url: str) -> Target:
    """Raises NodeError (INVALID_NODE_CONFIG) unless `url` is http(s), with a host, without
    credentials. Its messages never repeat the URL: it may hold a secret."""
    if _NOT_IN_URLS.search(url.replace(" ", "")) is not None:
        raise _invalid("url holds a character that URLs can't hold")
    try:
        parts = urlsplit(url.strip(" ").replace(" ", "%20"))
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _invalid("url is not a URL") from error
    if parts.scheme not in _PORTS:
        raise _invalid("url must start with http:// or https://")
    if "@" in parts.netloc:
        raise _invalid("url must not hold a user name or password")
    name, literal = _checked_host(host)
    path = quote(parts.path or "/", safe=_KEPT)
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    return Target(
        parts.scheme, name, _PORTS[parts.scheme] if port is None else port, path + query, literal
    )


def as_in_urls(text: str) -> tuple[str, ...]:
    """The forms in which `text`, put into a URL, may stand in the `url` of its target."""
    return (quote(text, safe=_KEPT), text.lower())


def redirected(target: Target, location: str) -> Target:
    """Where a `Location` (relative or not) leads; raises NodeError as `parse_target`."""
    try:
        joined = urljoin(target.url, location)
    except ValueError as error:
        raise _invalid("the server redirects to something that is not a URL") from error
    return parse_target(joined)


def _checked_host(host: str) -> tuple[str, bool]:
    if not host:
        raise _invalid("url has no host")
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
        address = literal_address(ascii_host)
    except ValueError as error:
        raise _invalid("url's host is neither a name nor an address") from error
    if address is not None:
        return address, True
    if len(ascii_host) > 254 or _HOST.fullmatch(ascii_host.lower()) is None:
        raise _invalid("url's host is neither a name nor an address")
    return ascii_host.lower(), False


def _invalid(message: str) -> NodeError:
    return NodeError(message, code="INVALID_NODE_CONFIG")
