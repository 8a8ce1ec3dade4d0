"""eth_abi without pydantic, which is a third of what it costs to load and nothing it uses.

eth_abi needs a dozen functions of eth_utils; eth_utils itself loads pydantic for one base class,
`CamelModel`, that only eth_account and web3 use. While eth_utils is loaded here, a stand-in takes
the place of its one submodule that imports pydantic; afterwards the stand-in is gone and the name
`eth_utils.CamelModel` loads the real class when somebody asks for it. So everything in the process
sees the whole eth_utils, whatever is imported later (a test imports eth_account after this).
Where eth_utils or pydantic is loaded already there is nothing to save and nothing is done.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_HEAVY = "eth_utils.pydantic"
_NAME = "CamelModel"


def _load_eth_utils() -> None:
    if not {"eth_utils", "pydantic"}.isdisjoint(sys.modules):
        return
    stand_in = ModuleType(_HEAVY)
    setattr(stand_in, _NAME, None)
    sys.modules[_HEAVY] = stand_in
    try:
        eth_utils = importlib.import_module("eth_utils")
    finally:
        del sys.modules[_HEAVY]
    if vars(eth_utils).pop(_NAME, stand_in) is None:
        eth_utils.__dict__["__getattr__"] = _late


def _late(name: str) -> object:
    """The module's `__getattr__` (PEP 562)."""
    if name != _NAME:
        raise AttributeError(f"module 'eth_utils' has no attribute {name!r}")
    real: object = getattr(importlib.import_module(_HEAVY), _NAME)
    sys.modules["eth_utils"].__dict__[_NAME] = real
    return real


_load_eth_utils()

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
