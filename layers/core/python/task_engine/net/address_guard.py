"""Which addresses are the public internet."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

# IANA special-purpose registries (RFC 6890) and the metadata endpoints that stand outside them.
_CLOSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Everything global lies in 2000::/3; mapped, NAT64, unique-local, link-local and multicast do not.
_OPEN_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


@lru_cache(maxsize=1024)
def is_public(address: str) -> bool:
    """Whether `address` (text of an IPv4 or IPv6 address) is an ordinary host of the internet.

    False for private, loopback, link-local, shared (RFC 6598), multicast, reserved,
    documentation and metadata addresses, for IPv6 forms that carry an IPv4 address (mapped,
    6to4, Teredo, NAT64), and for what is no address at all.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _CLOSED_V4)
    return parsed in _OPEN_V6 and not any(parsed in network for network in _CLOSED_V6)


def literal_address(host: str) -> str | None:
    """The address that `host` spells, None when it is a name.

    IPv4 in every spelling that programs accept (`2130706433`, `0x7f.1`, `0177.0.0.1`) becomes
    dotted decimal, as the WHATWG URL standard parses it; IPv6 comes without brackets. Raises
    ValueError for a host that looks like a number and is no address.
    """
    if ":" in host:
        return str(ipaddress.IPv6Address(host))
    labels = host.rstrip(".").split(".")
    if not _numeric(labels[-1]):
        return None
    numbers = [_number(label) for label in labels]
    *front, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in front):
        raise ValueError("not an IPv4 address")
    if last >= 256 ** (5 - len(numbers)):
        raise ValueError("not an IPv4 address")
    value = last + sum(number << (8 * (3 - place)) for place, number in enumerate(front))
    return str(ipaddress.IPv4Address(value))


def _numeric(label: str) -> bool:
    if label.isascii() and label.isdigit():
        return True
    digits = label[2:]
    return label[:2].lower() == "0x" and all(c in "0123456789abcdefABCDEF" for c in digits)


def _number(label: str) -> int:
    if not _numeric(label) or len(label) > 40:
        raise ValueError("not an IPv4 address")
    if label[:2].lower() == "0x":
        return int(label[2:] or "0", 16)
    return int(label, 8) if label[0] == "0" and len(label) > 1 else int(label)
