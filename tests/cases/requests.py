"""HTTP and GraphQL against real servers."""

from tests.cases.case import Case, Seen, code, graphql, rest


def _echo(seen: Seen) -> None:
    assert seen.status == "success", seen.error
    data = seen.data("call")
    assert data["status"] == 200
    assert data["data"]["method"] == "POST"
    assert "a" in str(data["data"]["body"])
    assert seen.data("after") == "POST"


def _quoted(seen: Seen) -> None:
    assert seen.status == "success", seen.error
    assert seen.data("after") == 'say "hi"\n'


def _refused(seen: Seen) -> None:
    assert seen.status == "failed"
    assert seen.step("call")["success"] is False
    assert seen.step("call").get("errorCode")


def _hello(seen: Seen) -> None:
    assert seen.status == "success", seen.error
    assert "Ada" in str(seen.data("ask"))


def _failed_query(seen: Seen) -> None:
    assert seen.status == "failed"
    assert seen.step("ask")["error"]


def _bad(name: str, url: str) -> Case:
    return Case(
        name=name, nodes=lambda _: [rest("call", url)], edges=[("t", "call")], check=_refused
    )


CASES = [
    Case(
        name="a POST with a templated JSON body",
        nodes=lambda s: [
            rest(
                "call",
                s.http + "/echo",
                method="POST",
                headers={"Content-Type": "application/json"},
                body='{"a": "{{start.data.given}}"}',
            ),
            code("after", "return call.data.method"),
        ],
        edges=[("t", "call"), ("call", "after")],
        check=_echo,
    ),
    Case(
        name="text in a JSON body is escaped",
        data={"text": 'say "hi"\n'},
        nodes=lambda s: [
            rest(
                "call",
                s.http + "/echo",
                method="POST",
                headers={"Content-Type": "application/json"},
                body='{"a": "{{start.data.text}}"}',
            ),
            code(
                "after",
                "const b = call.data.body; return (typeof b === 'string' ? JSON.parse(b) : b).a",
            ),
        ],
        edges=[("t", "call"), ("call", "after")],
        check=_quoted,
    ),
    _bad("the metadata address is refused", "http://169.254.169.254/latest/meta-data"),
    _bad("a private address is refused", "http://10.1.2.3/"),
    _bad("a decimal loopback address is refused", "http://2130706433:1/"),
    _bad("another scheme is refused", "{{'ftp'}}://example.org/"),
    Case(
        name="a redirect to the metadata address is refused",
        nodes=lambda s: [rest("call", s.http + "/redirect?to=http://169.254.169.254/latest")],
        edges=[("t", "call")],
        check=_refused,
    ),
    Case(
        name="a GraphQL query with variables",
        nodes=lambda s: [
            graphql(
                "ask",
                s.graphql,
                "query ($name: String!) { hello(name: $name) }",
                variables={"name": "Ada"},
            )
        ],
        edges=[("t", "ask")],
        check=_hello,
    ),
    Case(
        name="GraphQL errors fail the step",
        nodes=lambda s: [graphql("ask", s.graphql, "{ nothingOfTheKind }")],
        edges=[("t", "ask")],
        check=_failed_query,
    ),
]
