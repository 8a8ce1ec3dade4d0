"""The ABI library is loaded without what it does not use, and nobody else notices."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    """The output of `code` in a fresh process."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_what_the_library_does_not_use_is_not_loaded() -> None:
    code = (
        "import sys, task_engine.evm.abi.codec;"
        "print([name for name in sys.modules if name in"
        " ('pydantic', 'eth_utils.pydantic', 'eth_utils.network', 'eth_typing.networks')])"
    )
    assert run(code) == "[]"


def test_parsing_an_interface_loads_no_library() -> None:
    code = (
        "import sys; from task_engine.evm.abi.contract_abi import ContractAbi;"
        "ContractAbi.parse([{'name': 'f', 'inputs': [{'type': 'uint8'}]}]).function('f', 1);"
        "print('eth_abi' in sys.modules, 'eth_utils' in sys.modules)"
    )
    assert run(code) == "False False"


def test_names_left_out_are_the_real_ones_for_others() -> None:
    code = (
        "import task_engine.evm.abi.codec, eth_utils, eth_typing;"
        "from eth_utils import CamelModel, name_from_chain_id;"
        "from pydantic import BaseModel;"
        "from eth_typing import ChainId, URI;"
        "print(issubclass(CamelModel, BaseModel), eth_utils.pydantic.CamelModel is CamelModel,"
        " eth_typing.networks.ChainId is ChainId, ChainId(1).name, name_from_chain_id(1),"
        " hasattr(eth_utils, 'nothing'))"
    )
    assert run(code) == "True True True ETH Ethereum Mainnet False"


def test_no_stand_in_stays_but_an_annotation_and_the_one_that_asks_the_real_class() -> None:
    # Given a process in which web3 is loaded after the library; When all names are looked through
    code = (
        "import sys, task_engine.evm.abi.lean_import as lean, web3, eth_account;"
        "from eth_utils import CamelModel, apply_formatters_to_dict;"
        "print([(m, n) for m, module in list(sys.modules.items()) for n, held in"
        " list(vars(module).items()) if isinstance(held, lean._StandIn)]);"
        "Model = type('Model', (CamelModel,), {'__annotations__': {'gas_price': int}});"
        "print(apply_formatters_to_dict({'gasPrice': hex}, Model(gas_price=16)),"
        " apply_formatters_to_dict({'a': hex}, {'a': 1}))"
    )

    # Then these are left (the second in an annotation), and the first works for every value
    assert run(code).splitlines() == [
        "[('eth_utils.applicators', 'CamelModel'), ('eth_utils.humanize', 'URI')]",
        "{'gasPrice': '0x10'} {'a': '0x1'}",
    ]


def test_formatting_works_where_no_model_can_be() -> None:
    code = (
        "import task_engine.evm.abi.codec, eth_utils;"
        "print(eth_utils.apply_formatters_to_dict({'a': hex}, {'a': 1}))"
    )
    assert run(code) == "{'a': '0x1'}"


def test_what_is_loaded_already_stays_as_it_is() -> None:
    code = (
        "import eth_utils; before = vars(eth_utils)['CamelModel'];"
        "import task_engine.evm.abi.codec;"
        "print(vars(eth_utils)['CamelModel'] is before, hasattr(eth_utils, '__getattr__'))"
    )
    assert run(code) == "True False"
