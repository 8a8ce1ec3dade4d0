"""What errors of nodes mean, in the words that the clients of several makers use."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from task_engine.evm.failures import error_of, keys_in, without_secrets

ERROR_STRING = "0x08c379a0" + "00" * 64


@pytest.mark.parametrize(
    ("document", "data"),
    [
        ({"code": 3, "message": "execution reverted: no", "data": ERROR_STRING}, ERROR_STRING),
        ({"code": -32000, "message": "execution reverted", "data": "0x"}, ""),
        ({"code": -32015, "message": "VM error", "data": f"Reverted {ERROR_STRING}"}, ERROR_STRING),
        ({"code": -32603, "message": "x", "data": {"data": ERROR_STRING}}, ERROR_STRING),
        (
            {"code": -32603, "message": "x", "data": {"originalError": {"data": ERROR_STRING}}},
            ERROR_STRING,
        ),
        ({"code": -32521, "message": "x", "data": {"revertData": "0xABCDEF01"}}, "0xabcdef01"),
        ({"code": -32000, "message": f"execution reverted: {ERROR_STRING}"}, ERROR_STRING),
        ({"code": -32000, "message": "insufficient funds for 0x1234567890"}, ""),
        ({"code": -32000, "message": "x", "data": "0xabc"}, ""),
        ({"code": -32000, "message": "x", "data": ["0xabcd"]}, ""),
        ({"code": -32000, "message": "x", "data": 5}, ""),
    ],
)
def test_revert_data_is_found_wherever_it_stands(document: dict[str, Any], data: str) -> None:
    assert error_of(document).data == data


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (429, "Your app has exceeded its compute units per second capacity."),
        (-32005, "daily request count exceeded, request rate limited"),
        (-32016, "over rate limit"),
        (-32000, "Too Many Requests"),
        (-32603, "request timed out"),
        (-32000, "execution aborted (timeout = 5s)"),
        (503, "backend response"),
        (-32000, "header not found"),
        (-32000, "Unknown block"),
    ],
)
def test_what_passes_may_be_asked_again(code: int, message: str) -> None:
    assert error_of({"code": code, "message": message}).may_retry


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (3, "execution reverted: rate limit of the contract"),
        (-32000, "execution reverted: try again"),
        (-32000, "nonce too low"),
        (-32000, "already known"),
        (-32000, "insufficient funds for gas * price + value"),
        (-32005, "query returned more than 10000 results"),
        (-32005, "please limit the query to at most 500 block range"),
        (-32601, "the method does not exist"),
        (-32602, "invalid argument 0"),
        (-32500, "AA21 didn't pay prefund"),
    ],
)
def test_what_stays_is_not_asked_again(code: int, message: str) -> None:
    error = error_of({"code": code, "message": message})
    assert (error.may_retry, error.message, error.rpc_code) == (False, message, code)


def test_a_revert_is_told_apart_from_a_failing_node() -> None:
    assert error_of({"code": 3, "message": "x"}).reverted
    assert error_of({"code": -32000, "message": "Execution Reverted"}).reverted
    assert error_of({"code": -1, "message": "x", "data": ERROR_STRING}).reverted
    assert not error_of({"code": -32000, "message": "nonce too low"}).reverted


@pytest.mark.parametrize("document", [{}, {"code": "x", "message": 5}, {"code": True}])
def test_an_error_without_words_still_says_something(document: dict[str, Any]) -> None:
    error = error_of(document)
    assert error.message == "the chain's node answered with error 0"
    assert (error.stable_code, error.http_status) == ("RPC_NODE_ERROR", 503)


def test_long_texts_of_many_lines_are_cut_and_urls_taken_out() -> None:
    text = without_secrets("see https://a.example/key\nor wss://b.example " + "x" * 5000, ())
    assert text.startswith("see … or … xxx")
    assert len(text) == 1000


def test_the_parts_of_a_url_that_may_be_keys() -> None:
    url = "https://user:a-long-password@rpc.example.org/v2/abcdefghijklmnop?apikey=0123456789ab&x=1"
    sent = b64encode(b"user:a-long-password").decode()
    assert set(keys_in(url)) == {"a-long-password", "abcdefghijklmnop", "0123456789ab", sent}
    assert keys_in("http://127.0.0.1:8545") == ()


def test_a_key_is_known_encoded_and_decoded() -> None:
    keys = keys_in("https://rpc.example.org/?apikey=a%2Fb%3Dc+d0123456")
    assert set(keys) == {"a%2Fb%3Dc+d0123456", "a/b=c+d0123456", "a/b=c d0123456"}
    said = "a/b=c+d0123456 or a%2Fb%3Dc+d0123456 or a/b=c d0123456"
    assert without_secrets(said, keys) == "… or … or …"
