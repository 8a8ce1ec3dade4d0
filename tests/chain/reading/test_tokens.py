"""Token metadata: from the list, from the chain, from memory."""

from __future__ import annotations

import pytest
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.token_list import TOKENS
from task_engine.evm.tokens import TokenMetadata, TokenService

from infra_cdk.local.contracts import DevelopmentNode, install_token
from tests.chain.reading.world import CHAIN_ID, CountedRpc, OneChain, install_code

NOBODY = "0x00000000000000000000000000000000000000f1"
# Answers every call with the 32 bytes "MKR", as tokens did before strings were agreed on.
_BYTES32 = "0x7f4d4b52" + "00" * 29 + "60005260206000f3"


@pytest.fixture
def tokens(chains: OneChain) -> TokenService:
    return TokenService(chains)


def test_a_listed_token_is_known_without_asking(tokens: TokenService, rpc: CountedRpc) -> None:
    usdc = TOKENS[CHAIN_ID][0]
    found = tokens.lookup(CHAIN_ID, usdc.address.upper().replace("0X", "0x"))
    lower = usdc.address.lower()
    assert found == TokenMetadata(True, lower, "USDC", "USD Coin", 6, "whitelist")
    assert rpc.batches == []


def test_an_unlisted_token_is_asked_once(
    tokens: TokenService, rpc: CountedRpc, token: Address
) -> None:
    first = tokens.lookup(CHAIN_ID, token)
    second = tokens.lookup(CHAIN_ID, token.lower())
    assert first == TokenMetadata(True, token.lower(), "TUSD", "Test Dollar", 6, "rpc")
    assert second == TokenMetadata(True, token.lower(), "TUSD", "Test Dollar", 6, "cache")
    assert rpc.batches == [["eth_call"] * 3]


def test_texts_of_bytes32_are_read(tokens: TokenService, node: DevelopmentNode) -> None:
    old = install_code(node, Address("0x00000000000000000000000000000000000000f3"), _BYTES32)
    found = tokens.lookup(CHAIN_ID, old)
    assert (found.found, found.symbol, found.name) == (True, "MKR", "MKR")
    assert found.decimals == 18


def test_an_address_without_a_token_is_unknown_and_asked_again(
    tokens: TokenService, rpc: CountedRpc
) -> None:
    unknown = TokenMetadata(False, NOBODY, "UNKNOWN", "Unknown Token", 18, "rpc")
    assert tokens.lookup(CHAIN_ID, NOBODY) == unknown
    assert tokens.lookup(CHAIN_ID, NOBODY) == unknown
    assert len(rpc.batches) == 2


def test_a_contract_that_is_no_token_is_unknown(tokens: TokenService, counter: Address) -> None:
    assert tokens.lookup(CHAIN_ID, counter).found is False


def test_a_tokens_texts_are_cleaned(tokens: TokenService, reading_url: str) -> None:
    evil = install_token(reading_url, "bad\n\x1b[31m" + "x" * 500, "\x00E\u202eVIL", 18)
    found = tokens.lookup(CHAIN_ID, evil)
    assert found.symbol == "EVIL"
    assert found.name.startswith("bad[31mxxx")
    assert len(found.name) == 120


def test_an_unknown_chain_is_an_error(tokens: TokenService) -> None:
    with pytest.raises(NodeError, match="chain 5 is not configured"):
        tokens.lookup(5, NOBODY)


def test_the_list_has_each_address_once_and_checksummed() -> None:
    for chain_id, listed in TOKENS.items():
        addresses = [token.address for token in listed]
        assert addresses == [str(Address(address)) for address in addresses], chain_id
        assert len(set(addresses)) == len(addresses)
