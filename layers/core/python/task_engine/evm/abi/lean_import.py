"""eth_abi without what it loads and never uses: pydantic and two lists of all known networks.

eth_abi needs a dozen small functions of eth_utils. eth_utils and eth_typing themselves load three
submodules that only eth_account and web3 use, together more than half of the cost. While the two
packages are loaded here, stand-ins take the place of these submodules; afterwards the stand-ins
are gone and the packages load the real thing when somebody asks for one of its names (PEP 562).
So the process sees both packages whole, whatever is imported later: a test runs web3 after this.
Where one of the packages is loaded already there is nothing to save and nothing is done.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

_LEFT_OUT = {
    "eth_typing.networks": ("ChainId", "URI"),
    "eth_utils.network": (
        "Network",
        "name_from_chain_id",
        "network_from_chain_id",
        "short_name_from_chain_id",
    ),
    "eth_utils.pydantic": ("CamelModel",),
}
_PACKAGES = ("eth_typing", "eth_utils")


class _StandIn(type):
    """The class of the stand-ins.

    One of them stays in use (another in an annotation): eth_utils asks whether a value is a
    CamelModel. There can be such a value only when the real class is loaded, so it is asked.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        real = sys.modules.get(cls.__module__)
        return real is not None and isinstance(instance, getattr(real, cls.__name__))


def _load_packages() -> None:
    if not sys.modules.keys().isdisjoint(_PACKAGES):
        return
    for path, names in _LEFT_OUT.items():
        module = ModuleType(path)
        for name in names:
            setattr(module, name, _StandIn(name, (), {"__module__": path}))
        sys.modules[path] = module
    try:
        packages = [importlib.import_module(name) for name in _PACKAGES]
    finally:
        for path in _LEFT_OUT:
            del sys.modules[path]
    for package in packages:
        _forget_stand_ins(package)


def _forget_stand_ins(package: ModuleType) -> None:
    names = vars(package)
    late = {name: held.__module__ for name, held in names.items() if isinstance(held, _StandIn)}
    for name in late:
        del names[name]
    if late:
        names["__getattr__"] = _late(package.__name__, late)


def _late(package: str, late: dict[str, str]) -> Callable[[str], object]:
    """A package's `__getattr__`: loads the submodule that a name left out belongs to."""

    def load(name: str) -> object:
        path = f"{package}.{name}"
        if path in late.values():
            return importlib.import_module(path)
        if name not in late:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        real: object = getattr(importlib.import_module(late[name]), name)
        vars(sys.modules[package])[name] = real
        return real

    return load


_load_packages()

from eth_abi.codec import ABICodec  # noqa: E402
from eth_abi.decoding import ByteStringDecoder, ContextFramesBytesIO  # noqa: E402
from eth_abi.exceptions import DecodingError, EncodingError, InsufficientDataBytes  # noqa: E402
from eth_abi.registry import ABIRegistry, registry  # noqa: E402

__all__ = [
    "ABICodec",
    "ABIRegistry",
    "ByteStringDecoder",
    "ContextFramesBytesIO",
    "DecodingError",
    "EncodingError",
    "InsufficientDataBytes",
    "registry",
]
