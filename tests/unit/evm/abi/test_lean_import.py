"""The ABI library is loaded without what it does not use, and nobody else notices."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    """The output of `code` in a fresh process."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_pydantic_is_not_loaded() -> None:
    loaded = "import sys, task_engine.evm.abi.codec; print('pydantic' in sys.modules)"
    assert run(loaded) == "False"


def test_parsing_an_interface_loads_no_library() -> None:
    code = (
        "import sys; from task_engine.evm.abi.item import ContractAbi;"
        "ContractAbi.parse([{'name': 'f', 'inputs': [{'type': 'uint8'}]}]).function('f', 1);"
        "print('eth_abi' in sys.modules, 'eth_utils' in sys.modules)"
    )
    assert run(code) == "False False"


def test_the_name_left_out_is_the_real_class_for_others() -> None:
    code = (
        "import task_engine.evm.abi.codec, eth_utils;"
        "from eth_utils import CamelModel;"
        "from pydantic import BaseModel;"
        "import eth_utils.pydantic, eth_account, web3;"
        "print(issubclass(CamelModel, BaseModel), eth_utils.pydantic.CamelModel is CamelModel,"
        " hasattr(eth_utils, 'nothing'))"
    )
    assert run(code) == "True True False"


def test_what_is_loaded_already_stays_as_it_is() -> None:
    code = (
        "import eth_utils; before = vars(eth_utils)['CamelModel'];"
        "import task_engine.evm.abi.codec;"
        "print(vars(eth_utils)['CamelModel'] is before, hasattr(eth_utils, '__getattr__'))"
    )
    assert run(code) == "True False"
