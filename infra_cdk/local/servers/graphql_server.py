"""A real GraphQL server (graphql-core) over HTTP, with one route that answers HTML."""

from __future__ import annotations

import json
import threading
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema, build_schema, graphql_sync

from infra_cdk.local.servers.loopback import Handler, LoopbackServer, run_from_command_line

_SCHEMA = """
type User { id: ID!, name: String!, age: Int! }
type Query {
  users(limit: Int): [User!]!
  user(id: ID!): User
  hello(name: String = "world"): String!
  broken: String
  authorization: String
}
type Mutation { increment(by: Int = 1): Int! }
"""
_USERS: list[dict[str, object]] = [
    {"id": "1", "name": "Ada", "age": 36},
    {"id": "2", "name": "Grace", "age": 45},
    {"id": "3", "name": "Edsger", "age": 41},
]


_Info = GraphQLResolveInfo[Any]


class _Root:
    """Resolvers; graphql-core calls what it finds under the field's name."""

    def __init__(self, server: GraphqlServer, authorization: str | None) -> None:
        self._server = server
        self.authorization = authorization

    def users(self, _info: _Info, limit: int | None = None) -> list[Any]:
        return _USERS[:limit]

    def user(self, _info: _Info, id: str) -> object:  # noqa: A002
        return next((user for user in _USERS if user["id"] == id), None)

    def hello(self, _info: _Info, name: str) -> str:
        return f"Hello, {name}!"

    def broken(self, _info: _Info) -> str:
        raise ValueError("this field always fails")

    def increment(self, _info: _Info, by: int) -> int:
        return self._server.increment(by)


class _Routes(Handler["GraphqlServer"]):
    def do_POST(self) -> None:  # noqa: N802
        path, _query = self.split()
        body = self.body()
        if path == "/html":
            self.answer(b"<!doctype html><h1>Log in</h1>", "text/html")
        elif path not in ("/", "/graphql"):
            self.answer_json({"error": "no such route"}, 404)
        else:
            self._execute(body)

    def do_GET(self) -> None:  # noqa: N802
        self.answer(b"<!doctype html><h1>GraphQL</h1>", "text/html")

    def _execute(self, body: bytes) -> None:
        try:
            request = json.loads(body)
            query, variables = str(request["query"]), request.get("variables")
        except (ValueError, KeyError, TypeError, AttributeError):
            self.answer_json({"errors": [{"message": "not a GraphQL request"}]}, 400)
            return
        root = _Root(self.owner, self.headers.get("Authorization"))
        result = graphql_sync(self.owner.schema, query, root, variable_values=variables)
        self.answer_json(result.formatted, 200 if result.data is not None else 400)


class GraphqlServer(LoopbackServer):
    """GraphQL on loopback at `/` and `/graphql`; `/html` answers HTML."""

    handler = _Routes

    def __init__(self, port: int = 0) -> None:
        self.schema: GraphQLSchema = build_schema(_SCHEMA)
        self.counter = 0
        self._lock = threading.Lock()
        super().__init__(port)

    def increment(self, by: int) -> int:
        """Add to the counter of the mutation; returns the new value."""
        with self._lock:
            self.counter += by
            return self.counter


if __name__ == "__main__":
    run_from_command_line(GraphqlServer)
