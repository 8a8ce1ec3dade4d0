"""URLs are taken apart once and strictly."""

from __future__ import annotations

import pytest
from task_engine.errors import NodeError
from task_engine.net.target import parse_target, redirected


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://Example.ORG", "https://example.org/"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:8080?x=1", "http://example.org:8080/?x=1"),
        ("http://example.org/a b?q=a b#part", "http://example.org/a%20b?q=a%20b"),
        ("http://example.org/é", "http://example.org/%C3%A9"),
        ("http://example.org/%2e%2F", "http://example.org/%2e%2F"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://0x7f.1:80/", "http://127.0.0.1/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_a_url_in_its_plain_form(url: str, canonical: str) -> None:
    assert parse_target(url).url == canonical


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://user:word@example.org/",
        "http://user@example.org/",
        "http://@example.org/",
        "http://example.org:99999/",
        "http://example.org:x/",
        "http://example.org\\@127.0.0.1/",
        "http://exam\nple.org/",
        "http://example.org/\r\nX: 1",
        "http://[::1/",
        "http://[not-v6]/",
        "http://256.256.256.256/",
        "http://exa mple.org/",
        "http://-example.org/",
        "http://example..org/",
        "http://" + "a" * 300 + ".org/",
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(NodeError) as caught:
        parse_target(url)
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"
    assert not caught.value.may_retry


def test_a_refusal_does_not_repeat_the_url() -> None:
    with pytest.raises(NodeError) as caught:
        parse_target("http://me:my-password@example.org/")
    assert "my-password" not in caught.value.message


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/next", "https://a.example/next"),
        ("next?x=1", "https://a.example/dir/next?x=1"),
        ("//b.example/", "https://b.example/"),
        ("http://b.example/x", "http://b.example/x"),
    ],
)
def test_where_a_redirect_leads(location: str, url: str) -> None:
    assert redirected(parse_target("https://a.example/dir/page"), location).url == url
