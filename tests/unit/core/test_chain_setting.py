"""The chains of a deployment, as its setting names them."""

from __future__ import annotations

import json

import pytest
from task_engine.errors import ConfigurationError
from task_engine.model.chain import Chain
from task_engine.model.chain_setting import parse_chains

KEY = "a-key-in-the-url"
FACTORY = "0x" + "ab" * 20


def test_without_a_setting_the_two_test_chains_are_known_by_id() -> None:
    assert parse_chains(" ") == {11155111: Chain(11155111), 84532: Chain(84532)}


def test_a_text_is_one_url_or_several_and_may_be_empty() -> None:
    chains = parse_chains('{"1": "https://a.example/x  http://b.example:8545", "5": ""}')
    assert chains[1].rpc_urls == ("https://a.example/x", "http://b.example:8545")
    assert chains[5].rpc_urls == ()


def test_an_object_says_everything() -> None:
    given = {
        "rpcUrls": ["https://a.example", "https://a.example", "https://b.example"],
        "bundlerUrl": "https://bundler.example",
        "entryPoint": "0.8",
        "walletProvider": "simple_account",
        "factory": FACTORY,
        "paymaster": "erc7677",
        "paymasterAddress": FACTORY,
        "paymasterUrl": "https://paymaster.example",
        "confirmations": 2,
        "currency": "XDAI",
    }
    assert parse_chains(json.dumps({"100": given})) == {
        100: Chain(
            id=100,
            rpc_urls=("https://a.example", "https://b.example"),
            bundler_url="https://bundler.example",
            entry_point="0.8",
            wallet_provider="simple_account",
            factory=FACTORY,
            paymaster="erc7677",
            paymaster_address=FACTORY,
            paymaster_url="https://paymaster.example",
            confirmations=2,
            currency="XDAI",
        )
    }


def test_what_is_not_said_is_taken_from_what_is_known_of_the_chain() -> None:
    chains = parse_chains('{"137": {}, "11155111": {"rpcUrls": "http://a.example"}, "31337": {}}')
    assert [chain.currency for chain in chains.values()] == ["POL", "ETH", "ETH"]
    assert [chain.name for chain in chains.values()] == ["polygon", "sepolia", "chain 31337"]
    assert [chain.block_seconds for chain in chains.values()] == [2.0, 12.0, 12.0]
    assert chains[31337] == Chain(31337)


@pytest.mark.parametrize("text", ["[1]", "{", "5", '"x"', "null", "[" * 5000 + "]" * 5000])
def test_what_is_no_object_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r'TASK_ENGINE_CHAINS must be JSON \{"chainId"'):
        parse_chains(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"sepolia": ""}', "'sepolia' is not a chain id"),
        ('{"0": ""}', "'0' is not a chain id"),
        ('{"-1": ""}', "'-1' is not a chain id"),
        ('{"²": ""}', "is not a chain id"),
        ('{"99999999999999999999": ""}', "is not a chain id"),
        ('{"5": "", "5": ""}', "chain 5 stands there twice"),
        ('{"5": 1}', "chain 5: must be a URL or an object of settings"),
        ('{"5": [[["a"]]]}', "chain 5: must be a URL or an object of settings"),
        ('{"5": null}', "chain 5: must be a URL or an object of settings"),
        ('{"5": {"rpcUrl": ""}}', "chain 5: unknown rpcUrl (there are bundlerUrl, "),
        ('{"5": {"rpcUrls": [1]}}', "chain 5: rpcUrls must be a list of URLs"),
        ('{"5": {"rpcUrls": {"a": "b"}}}', "chain 5: rpcUrls must be a list of URLs"),
        (f'{{"5": "ws://{KEY}"}}', "chain 5: rpcUrls must be of the form https://host/path"),
        (f'{{"5": "{KEY}"}}', "chain 5: rpcUrls must be of the form"),
        (f'{{"5": "https:///{KEY}"}}', "chain 5: rpcUrls must be of the form"),
        (f'{{"5": "https://[{KEY}"}}', "chain 5: rpcUrls must be of the form"),
        (f'{{"5": "https://a:99999/{KEY}"}}', "chain 5: rpcUrls must be of the form"),
        (f'{{"5": {{"rpcUrls": ["https://a/ {KEY}"]}}}}', "chain 5: rpcUrls must be of the form"),
        (f'{{"5": "https://a/é{KEY}"}}', "chain 5: rpcUrls must be of the form"),
        ('{"5": {"bundlerUrl": "ftp://a"}}', "chain 5: bundlerUrl must be of the form"),
        ('{"5": {"bundlerUrl": 5}}', "chain 5: bundlerUrl must be text"),
        ('{"5": {"entryPoint": "0.6"}}', "chain 5: entryPoint must be one of 0.7, 0.8"),
        (
            '{"5": {"walletProvider": "x"}}',
            "chain 5: walletProvider must be one of session_account, ",
        ),
        ('{"5": {"paymaster": "x"}}', "chain 5: paymaster must be one of verifying, erc7677"),
        ('{"5": {"paymaster": "verifying"}}', "the paymaster verifying needs paymasterAddress"),
        ('{"5": {"paymaster": "erc7677"}}', "the paymaster erc7677 needs paymasterUrl"),
        ('{"5": {"factory": "0x12"}}', "chain 5: factory must be an address"),
        ('{"5": {"confirmations": -1}}', "confirmations must be a whole number from 0 to 1000"),
        ('{"5": {"confirmations": true}}', "confirmations must be a whole number from 0 to 1000"),
    ],
)
def test_each_problem_is_named_without_the_url(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_chains(text)
    assert caught.value.message.startswith("TASK_ENGINE_CHAINS: ")
    assert problem in caught.value.message
    assert KEY not in caught.value.message


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_chains('{"x": "", "5": {"factory": 1, "entryPoint": "9"}, "6": 7}')
    assert caught.value.message.count(";") == 3
