"""The demo's own service, and the tasks that the demo creates."""

from __future__ import annotations

from typing import Any

from infra_cdk.local.servers.loopback import Handler, LoopbackServer

Json = Any
SECRET_NAME = "shop_key"  # noqa: S105 - its name, not its value
LOOP_ITEMS = 10

_SUM = """
const { orders } = shop.data;
return { orders, total: orders.reduce((sum, order) => sum + order.amount, 0) };
"""
_CHARGE = "return { id: order.id, withTax: Math.round(order.amount * 1.2) };"
_QUERY = "query($name: String) { hello(name: $name) users(limit: 2) { name } }"


class _Orders(Handler["OrderService"]):
    def do_GET(self) -> None:  # noqa: N802
        key = self.headers.get("Authorization", "")
        if key != f"Bearer {self.owner.key}":
            self.answer_json({"error": "wrong key"}, 401)
            return
        self.owner.answered += 1
        orders = [{"id": n, "amount": 100 * n} for n in range(1, LOOP_ITEMS + 1)]
        # Repeats the key, as careless services do: it must not come to light downstream.
        self.answer_json({"orders": orders, "debug": {"authorization": key}})


class OrderService(LoopbackServer):
    """A shop on loopback: its orders for whoever knows `key`."""

    handler = _Orders

    def __init__(self, key: str, port: int = 0) -> None:
        self.key = key
        self.answered = 0
        super().__init__(port)


def orders_task(shop_url: str, graphql_url: str, marker: str) -> Json:
    """A request with a secret, code, a branch, a loop over ten items, a GraphQL query."""
    return {
        "name": "orders",
        "trigger": trigger("manual", {"lang": "json", "data": {"customer": marker}}),
        "nodes": [
            node(
                "shop",
                "restApi",
                {
                    "url": f"{shop_url}/orders",
                    "method": "GET",
                    "headers": {
                        "Authorization": "Bearer {{apContext.configVars." + SECRET_NAME + "}}"
                    },
                },
            ),
            node("sum", "customCode", _code(_SUM)),
            node(
                "worth",
                "branch",
                {
                    "conditions": [
                        {"id": "yes", "type": "if", "expression": "sum.data.total > 1000"},
                        {"id": "no", "type": "else", "expression": ""},
                    ]
                },
            ),
            node("charge", "loop", _loop("{{sum.data.orders}}", "order", _code(_CHARGE))),
            node("reject", "customCode", _code("return 'not worth it'")),
            node(
                "greet",
                "graphqlQuery",
                {
                    "url": f"{graphql_url}/graphql",
                    "query": _QUERY,
                    "variables": {"name": "{{start.data.customer}}"},
                },
            ),
        ],
        "edges": edges(
            ("start", "shop"),
            ("shop", "sum"),
            ("sum", "worth"),
            ("worth.yes", "charge"),
            ("worth.no", "reject"),
            ("charge", "greet"),
        ),
        "maxExecution": 10,
    }


def cron_task() -> Json:
    """Runs every minute, twice at most."""
    return {
        "name": "every minute",
        "trigger": trigger("cron", {"schedules": ["* * * * *"]}),
        "nodes": [node("tick", "customCode", _code("return { tick: start.data }"))],
        "edges": edges(("start", "tick")),
        "maxExecution": 2,
    }


def expected_charges() -> list[Json]:
    """What the loop must give."""
    return [{"id": n, "withTax": 120 * n} for n in range(1, LOOP_ITEMS + 1)]


def trigger(kind: str, config: Json) -> Json:
    """A task's trigger, named `start`."""
    return {"id": "start", "name": "start", "type": kind, "config": config}


def node(name: str, kind: str, config: Json) -> Json:
    """A node whose id is its name."""
    return {"id": name, "name": name, "type": kind, "config": config}


def _code(source: str) -> Json:
    return {"lang": "javascript", "source": source}


def _loop(items: str, name: str, config: Json) -> Json:
    return {
        "inputVariable": items,
        "iterVal": name,
        "iterKey": "index",
        "executionMode": "parallel",
        "runner": {"type": "customCode", "config": config},
    }


def edges(*pairs: tuple[str, str]) -> list[Json]:
    """Edges from each first to each second."""
    return [
        {"id": f"e{number}", "source": source, "target": target}
        for number, (source, target) in enumerate(pairs)
    ]
