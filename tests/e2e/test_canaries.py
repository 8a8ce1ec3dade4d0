"""Values that nobody may see, sent through all that could show them, and looked for everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.leaks import places_with
from infra_cdk.local.login import sign_in
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.servers.loopback import Handler, LoopbackServer
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.stage import LocalStage, start_stage
from tests.cases.case import branch, code, graphql, keep, loop, rest
from tests.e2e.chains import CHAIN, OnChain
from tests.e2e.engine import Json, task_of

pytestmark = pytest.mark.deployed

USERS = 'canary-user-4f1d & "é"/+=\'7c'
TASKS = "canary-task-93be20aa51"
USER, TASK = "{{apContext.configVars.USERS}}", "{{apContext.configVars.TASKS}}"


def nodes_that_repeat(http: str, graph: str, chain: OnChain) -> list[Json]:
    """Nodes of every type that put secrets where errors, logs and outputs come from."""
    add = {"methodName": "add", "methodParams": [USER]}
    return [
        rest("echo", f"{http}/echo?k={TASK}", headers={"X-Key": TASK}),
        rest("form", f"{http}/return", method="POST", body=USER),
        rest("fails", f"{http}/status/500?k={TASK}"),
        rest("noUrl", f"{USER}://nowhere"),
        rest("noHost", f"http://127.0.0.1:9/{TASK}"),
        rest("noHeader", f"{http}/echo", headers={"X-Key": TASK + "\n"}),
        rest("away", f"{http}/redirect?to=http://10.0.0.1/{TASK}"),
        graphql("noField", f"{graph}/graphql?k={TASK}", "{ " + USER + " }"),
        graphql("html", f"{graph}/html?k={TASK}", "{ hello }"),
        code(
            "script",
            "const k = apContext.configVars.TASKS, u = apContext.configVars.USERS;"
            "console.log(k, [u], {[k]: u}, encodeURIComponent(u));"
            "console.log(JSON.stringify(JSON.stringify(u)));"
            "state.set(k, u); return {[k]: [u, k + u, `-${k}-`], b: btoa(k)}",
        ),
        code("throws", "throw new Error('no ' + apContext.configVars.TASKS)"),
        code("named", f"return nothing['{TASK}'].x"),
        code("unread", f"return {USER}"),
        branch("way", ("a", "if", f"nobody.x == '{TASK}'"), ("b", "else", "")),
        keep("kept", "{{start.data.list}}", f"value == '{TASK}' || nobody['{TASK}']"),
        loop("each", "{{start.data.list}}", rest("x", f"{http}/status/500?k={TASK}")),
        loop("all", "{{start.data.list}}", code("y", "throw apContext.configVars.USERS + value")),
        chain.contract("read", "contractRead", {"methodName": "countOf", "methodParams": [TASK]}),
        chain.contract("readAt", "contractRead", {"methodName": "count"}, contractAddress=USER),
        chain.contract("write", "contractWrite", add),
        chain.contract("writeTo", "contractWrite", add, contractAddress=TASK),
        _node("send", "ethTransfer", destination=TASK, amount="1", chainId=chain.chain_id),
        _node("pay", "ethTransfer", destination=chain.counter, amount=TASK),
        _node("holds", "balance", address=TASK, chain="sepolia"),
        _node("where", "balance", address=chain.wallet, chain=USER),
    ]


def _node(name: str, kind: str, **config: Json) -> Json:
    return {"id": name, "name": name, "type": kind, "config": config}


def test_secrets_that_every_node_repeats_stand_nowhere(
    stage: LocalStage, http_server: HttpServer, graphql_server: GraphqlServer
) -> None:
    # Given a secret of the user's and one of the task's, and nodes of all types that repeat them
    chain = OnChain(stage)
    api = chain.api
    data = {"lang": "json", "data": {"list": [1, 2]}}
    nodes = nodes_that_repeat(http_server.url, graphql_server.url, chain)
    body = task_of(
        nodes,
        [("t", node["id"]) for node in nodes],
        {"type": "manual", "config": data},
        inputVariables={"settings": {"runner": chain.wallet, "chain_id": chain.chain_id}},
    )
    put(api, "USERS", USERS)
    shown: list[Json] = []
    for one in nodes:
        edge = {"id": "e", "source": "t", "target": one["id"]}
        alone = {"nodes": [one], "edges": [edge], "smartWalletAddress": api.wallet}
        created = api.request("POST", "/workflows", {**body, **alone})
        # A task that can't work is told so when it is created, in words that are looked at too.
        shown.append(created.body)
        if created.status == 201:
            task = created.body["id"]
            put(api, "TASKS", TASKS, task)
            execution = api.trigger(task, blocking=False)["executionId"]
            shown.append(api.finished(task, execution, 100))
            shown.append(api.get(f"/workflows/{task}"))
    put(api, "TASKS", TASKS)
    # When they run by themselves and in a simulation as well
    variables = body["inputVariables"]
    for one in nodes:
        run = {"node": one, "inputVariables": variables}
        shown.append(api.request("POST", "/nodes:run", run).body)
    shown.append(api.request("POST", "/workflows:simulate", body).body)
    for path in ("/secrets", "/executions:count", "/workflows", "/operators", "/wallets"):
        shown.append(api.get(path))
    # Then what came back was masked, each form of it, and nothing that is stored has it
    text = json.dumps(shown, ensure_ascii=False)
    assert text.count("[secret]") > 40
    for canary in (USERS, TASKS):
        assert canary not in text
        assert quote(canary, safe="") not in text
        assert places_with(canary, stage.aws, stage.directory) == []


def put(api: ApiClient, name: str, value: str, task: str = "") -> None:
    body = {"value": value, **({"workflowId": task} if task else {})}
    assert api.request("PUT", f"/secrets/{name}", body).status in (201, 204)


KEY = "canary-rpc-77e0b1"
QUERY_KEY = "canary+query=5d"


class _Talkative(Handler["TalkativeNode"]):
    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        """Answers every call with all it knows of its URL."""
        calls = json.loads(self.body())
        listed = calls if isinstance(calls, list) else [calls]
        said = f"no {KEY} at {self.path} or {self.owner.url}{self.path}, key {QUERY_KEY}"
        methods = {call["method"] for call in listed}
        if "eth_getBalance" in methods:
            self.answer(said.encode(), "text/plain", 500)
            return
        answers = []
        for call in listed:
            answer: Json = {"jsonrpc": "2.0", "id": call["id"]}
            if call["method"] == "eth_chainId":
                answer["result"] = hex(CHAIN)
            else:
                answer["error"] = {"code": -32000, "message": said, "data": {"url": said}}
            answers.append(answer)
        self.answer_json(answers if isinstance(calls, list) else answers[0])


class TalkativeNode(LoopbackServer):
    """A chain's node that repeats the URL it was asked at, the key in it too."""

    handler = _Talkative


@pytest.fixture
def keyed(request: pytest.FixtureRequest) -> Iterator[LocalStage]:
    """A stage whose chain is reached by a URL with keys in its path and its query."""
    with TalkativeNode() as node:
        url = f"{node.url}/v2/{KEY}?apikey={quote(QUERY_KEY)}"
        settings = replace(LocalSettings.for_own_stage(), chains={CHAIN: url})
        running = start_stage(settings, f"keyed-{node.port}", progress=lambda _: None)
        yield running
        running.stop()


def test_keys_in_urls_of_chains_are_shown_nowhere(keyed: LocalStage) -> None:
    # Given a stage whose chain's URL holds keys, which the chain's node repeats in every error
    api = sign_in(ApiClient(keyed.base_url))
    address = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
    abi = [{"type": "function", "name": "x", "inputs": [], "outputs": [{"type": "uint256"}],
            "stateMutability": "view"}]  # fmt: skip
    put_abi = [{**abi[0], "stateMutability": "nonpayable"}]
    call = {"chainId": CHAIN, "contractAddress": address, "methodCalls": [{"methodName": "x"}]}
    nodes = [
        _node("read", "contractRead", contractAbi=abi, **call),
        _node("write", "contractWrite", contractAbi=put_abi, **call),
        _node("send", "ethTransfer", destination=address, amount="1", chainId=CHAIN),
        _node("holds", "balance", address=address, chain="sepolia"),
    ]
    # When everything that asks the chain is used
    shown: list[Json] = []
    settings = {"settings": {"runner": api.wallet or address, "chain_id": CHAIN}}
    for node in nodes:
        for simulated in (True, False):
            config = {**node["config"], "isSimulated": simulated}
            run = {"node": {**node, "config": config}, "inputVariables": settings}
            shown.append(api.request("POST", "/nodes:run", run).body)
        one = task_of([node], [("t", node["id"])], inputVariables=settings)
        created = api.request("POST", "/workflows", {**one, "smartWalletAddress": api.wallet})
        shown.append(created.body)
        if created.status == 201:
            started = api.trigger(created.body["id"], blocking=False)["executionId"]
            shown.append(api.finished(created.body["id"], started, 120))
        shown.append(api.request("POST", "/workflows:simulate", one).body)
        shown.append(api.request("POST", "/workflows:estimateFees", one).body)
    for path in ("/operators", "/wallets", "/health", "/openapi.json", f"/tokens/{address}",
                 f"/wallets/{address}/policies", "/userops/0x" + "00" * 32):  # fmt: skip
        shown.append(api.request("GET", path, query={"chainId": CHAIN}).body)
    withdrawal = {"recipientAddress": address, "amount": "1", "token": "ETH", "chainId": CHAIN}
    shown.append(api.request("POST", f"/wallets/{api.wallet}:withdraw", withdrawal).body)
    # Then it was asked and its errors are told, but no key is in any of them
    text = json.dumps(shown, ensure_ascii=False)
    assert text.count("no … at /v2/…?apikey=… or … key …") > 3, text[:5000]
    # And none is stored but where the deployment's own settings stand
    for key in (KEY, QUERY_KEY):
        assert key not in text
        assert quote(key) not in text
        places = places_with(key, keyed.aws, keyed.directory)
        assert [place for place in places if not _is_setting(place)] == []


def _is_setting(place: str) -> bool:
    """The functions' environment, the template that sets it, and the record of the stage."""
    return place.startswith("function ") or place in (
        "bucket task-engine-local-templates",
        "file processes.json",
    )
