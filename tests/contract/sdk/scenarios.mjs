// What users of the published SDK do, each against the stage named by BASE_URL.
import assert from "node:assert/strict";
import { APIError, Client, Nodes, Triggers, buildAuthMessage } from "@avaprotocol/sdk-js";

const { BASE_URL, OWNER, OWNER_KEY, STRANGER_KEY, HTTP_URL, GRAPHQL_URL } = process.env;
const CHAIN = 11155111;
const UNKNOWN = "01k9zq3v7d2m4n6p8r0t2w4y6z";

async function signedIn(key) {
  const client = new Client({ baseUrl: BASE_URL });
  const { version } = await client.health.check();
  assert.ok(version);
  const granted = await client.auth.exchangeWithKey(key, {
    uri: "http://localhost:3000",
    chainId: CHAIN,
    version,
  });
  assert.equal(client.token, granted.token);
  return client;
}

async function setting() {
  const client = await signedIn(OWNER_KEY);
  const runner = (await client.wallets.list()).data[0].address;
  return { client, runner };
}

const code = (name, source) => Nodes.customCode({ id: name, name, source, lang: "javascript" });
const manual = (data = { n: 1 }) => Triggers.manual({ name: "start", id: "t", lang: "json", data });
const edge = (source, target) => ({ id: `${source}-${target}`, source, target });

function workflow(runner, trigger = manual(), nodes = [code("run", "return 1")], edges) {
  return {
    smartWalletAddress: runner,
    name: "from the SDK",
    trigger,
    nodes,
    edges: edges ?? nodes.map((node) => edge(trigger.id, node.id)),
    inputVariables: { settings: { runner, name: "from the SDK", chain_id: CHAIN } },
  };
}

async function refused(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof APIError, String(error));
    assert.equal(error.status, status, error.message);
    if (code) assert.equal(error.code, code);
    assert.ok(error.requestId);
    return true;
  });
}

const run = { triggerType: "manual", triggerOutput: { data: { n: 2 } } };

const scenarios = {
  async wallets() {
    const { client, runner } = await setting();
    const made = await client.wallets.create({ salt: "7", chainId: CHAIN });
    assert.notEqual(made.address, runner);
    assert.equal(made.totalWorkflowCount, 0);
    assert.equal((await client.wallets.update(made.address, { isHidden: true })).isHidden, true);
    const listed = (await client.wallets.list()).data;
    assert.ok(listed.some((wallet) => wallet.address === made.address && wallet.isHidden));
    await refused(client.wallets.create({ salt: "-12" }), 400);
    await refused(client.wallets.create({ salt: "0", factoryAddress: "0x1234" }), 400);
  },

  async secrets() {
    const { client, runner } = await setting();
    assert.equal(await client.secrets.put("API_KEY", { value: "hidden-value" }), undefined);
    const { id } = await client.workflows.create(workflow(runner));
    await client.secrets.put("OF_TASK", { value: "v", workflowId: id });
    const { data } = await client.secrets.list();
    assert.deepEqual(
      data.map((secret) => [secret.name, secret.scope]).sort(),
      [["API_KEY", "user"], ["OF_TASK", "workflow"]],
    );
    const node = code("n", "return apContext.configVars.API_KEY");
    const shown = await client.nodes.run({ node, inputVariables: {} });
    assert.equal(shown.success, true);
    assert.ok(!JSON.stringify(shown).includes("hidden-value"));
    await client.secrets.delete("OF_TASK");
    await client.secrets.delete("API_KEY");
    await client.secrets.delete("NEVER_THERE");
    assert.equal((await client.secrets.list()).data.length, 0);
  },

  async triggers() {
    const { client, runner } = await setting();
    const address = "0x" + "11".repeat(20);
    const kinds = [
      manual(),
      Triggers.cron({ name: "start", id: "t", schedule: ["0 * * * *"] }),
      Triggers.fixedTime({ name: "start", id: "t", epochsMs: [Date.now() + 86400000] }),
      Triggers.block({ name: "start", id: "t", interval: 10, chainId: CHAIN }),
      Triggers.event({ name: "start", id: "t", chainId: CHAIN, queries: [{ addresses: [address], topics: [] }] }),
    ];
    for (const trigger of kinds) {
      const made = await client.workflows.create(workflow(runner, trigger));
      const read = await client.workflows.retrieve(made.id);
      assert.equal(read.trigger.type, trigger.type);
      assert.deepEqual(read.trigger.config, trigger.config);
      await client.workflows.cancel(made.id);
    }
    const fired = await client.triggers.run({ trigger: manual({ a: [1] }) });
    assert.deepEqual(fired.output.data, { a: [1] });
    const none = { ...manual(), config: { lang: "json" } };
    const failed = await client.triggers.run({ trigger: none });
    assert.equal(failed.success, false);
    assert.match(failed.error, /data is required/);
    for (const trigger of [kinds[1], kinds[2], Triggers.cron({ name: "c", schedule: ["never"] })]) {
      const { success, output } = await client.triggers.run({ trigger });
      assert.equal(success, true);
      assert.ok(Math.abs(output.data.timestamp - Date.now()) < 60000);
    }
    assert.equal((await client.triggers.run({ trigger: kinds[3] })).success, false);
  },

  async nodes() {
    const { client, runner } = await setting();
    const nodes = [
      code("items", "return [1, 2, 3]"),
      Nodes.filter({ id: "large", name: "large", inputVariable: "{{items.data}}", expression: "value > 1" }),
      Nodes.loop({ id: "each", name: "each", inputVariable: "{{large.data}}", runner: code("x", "return value * 2") }),
      Nodes.branch({ id: "choose", name: "choose", conditions: [
        { id: "yes", type: "if", expression: "{{each.data.length}} == 2" },
        { id: "no", type: "else", expression: "" },
      ] }),
      Nodes.restApi({ id: "call", name: "call", url: `${HTTP_URL}/echo`, method: "GET" }),
      Nodes.graphqlQuery({ id: "ask", name: "ask", url: GRAPHQL_URL, query: "{ __typename }" }),
    ];
    const inputVariables = { items: { data: [1, 2, 3] }, large: { data: [2, 3] }, each: { data: [4, 6] } };
    const outputs = [];
    for (const node of nodes) {
      const shown = await client.nodes.run({ node, inputVariables });
      assert.equal(shown.success, true, `${node.type}: ${shown.error}`);
      outputs.push(shown.output.data.conditionId ?? shown.output.data);
      if (node.type === "restApi") assert.equal(shown.metadata.status, 200);
      if (node.type === "customCode") assert.equal(shown.executionContext.is_simulated, false);
    }
    assert.deepEqual(outputs.slice(0, 4), [[1, 2, 3], [2, 3], [4, 6], "choose.yes"]);
    const { trigger, edges, ...rest } = workflow(runner, manual(), nodes, [
      edge("t", "items"), edge("items", "large"), edge("large", "each"), edge("each", "choose"),
      edge("choose.yes", "call"), edge("call", "ask"),
    ]);
    const simulated = await client.workflows.simulate({
      trigger, edges, nodes: rest.nodes, inputVariables: rest.inputVariables,
    });
    assert.equal(simulated.status, "success", simulated.error);
    assert.deepEqual(simulated.steps.map((step) => step.success), Array(7).fill(true));
    const made = await client.workflows.create({ ...rest, trigger, edges });
    const ended = await client.workflows.trigger(made.id, { ...run, isBlocking: true });
    assert.equal(ended.status, "success", ended.error);
    const read = await client.executions.retrieve(ended.executionId, { workflowId: made.id });
    assert.deepEqual(read.steps.map((step) => step.type), simulated.steps.map((step) => step.type));
    const fees = await client.workflows.estimateFees({
      trigger, nodes: rest.nodes, edges, createdAt: Date.now(), expireAt: 0, maxExecution: 0,
    });
    assert.equal(fees.executionFee.unit, "USD");
  },

  async stream() {
    const { client, runner } = await setting();
    const { id } = await client.workflows.create(workflow(runner));
    const begun = await client.workflows.trigger(id, { ...run, isBlocking: false });
    const last = await client.executions.waitForTerminal(begun.executionId, { workflowId: id, interval: "250ms" });
    assert.equal(last.status, "success");
    const status = await client.executions.getStatus(begun.executionId, { workflowId: id });
    assert.equal(status.status, "success");
  },

  async paging() {
    const { client, runner } = await setting();
    const { id } = await client.workflows.create(workflow(runner));
    for (let i = 0; i < 5; i++) {
      await Promise.all(Array.from({ length: 10 }, () => client.workflows.trigger(id, { ...run, isBlocking: false })));
    }
    assert.equal((await client.executions.count({ workflowId: [id] })).total, 50);
    const seen = [];
    let page = await client.executions.listForWorkflow(id, { limit: 20 });
    for (;;) {
      seen.push(...page.data.map((row) => row.id));
      if (!page.pageInfo.hasNextPage) break;
      page = await client.executions.list({ workflowId: [id], limit: 20, after: page.pageInfo.endCursor });
    }
    assert.equal(new Set(seen).size, 50);
    assert.deepEqual(seen, [...seen].sort().reverse());
    assert.equal(page.data.length, 10);
    const nearer = [seen.slice(40)];
    while (page.pageInfo.hasPreviousPage) {
      page = await client.executions.listForWorkflow(id, { limit: 20, before: page.pageInfo.startCursor });
      assert.equal(page.pageInfo.hasNextPage, true);
      nearer.unshift(page.data.map((row) => row.id));
    }
    assert.deepEqual(nearer.map((rows) => rows.length), [20, 20, 10]);
    assert.deepEqual(nearer.flat(), seen);
    await refused(client.executions.listForWorkflow(id, { after: "nonsense" }), 400);
    await refused(client.executions.listForWorkflow(id, { limit: -1 }), 400);
  },

  async lifecycle() {
    const { client, runner } = await setting();
    const { id } = await client.workflows.create(workflow(runner));
    assert.equal((await client.workflows.pause(id)).status, "disabled");
    await refused(client.workflows.trigger(id, { ...run, isBlocking: true }), 400);
    assert.equal((await client.workflows.resume(id)).status, "enabled");
    assert.equal((await client.workflows.count()).total, 1);
    assert.equal(await client.workflows.cancel(id), undefined);
    assert.equal(await client.workflows.cancel(id), undefined);
    await refused(client.workflows.retrieve(id), 404, "WORKFLOW_NOT_FOUND");
  },

  async quotas() {
    // Its owner has all the wallets that the stage allows on one chain.
    const { client, runner } = await setting();
    await refused(client.wallets.create({ salt: "123456789", chainId: CHAIN }), 429, "QUOTA_EXCEEDED");
    assert.equal((await client.wallets.create({ salt: "0", chainId: CHAIN })).address, runner);
    assert.ok((await client.workflows.create(workflow(runner))).id);
  },

  async signing() {
    const { version } = await new Client({ baseUrl: BASE_URL }).health.check();
    const client = new Client({ baseUrl: BASE_URL });
    const fields = { uri: "http://localhost:3000", chainId: CHAIN, version };
    const built = buildAuthMessage({ ...fields, ownerAddress: OWNER });
    const signature = "0x" + "11".repeat(64) + "1b";
    const wrong = { ownerAddress: OWNER, message: built.message, signature };
    await refused(client.auth.exchange(wrong), 401);
    assert.ok(!client.token);
    await refused(client.auth.exchange({ ...wrong, ownerAddress: "0x12" }), 400);
    await refused(client.auth.exchange({ ...wrong, message: "sign here" }), 400);
    await client.auth.exchangeWithKey(OWNER_KEY, fields);
    assert.equal((await client.workflows.count()).total, 0);
    const other = new Client({ baseUrl: BASE_URL, token: client.token });
    assert.equal((await other.workflows.list()).data.length, 0);
  },

  async errors() {
    const { client, runner } = await setting();
    const stranger = await signedIn(STRANGER_KEY);
    await refused(new Client({ baseUrl: BASE_URL }).workflows.list(), 401);
    await refused(new Client({ baseUrl: BASE_URL, token: "a.b.c" }).workflows.list(), 401);
    await refused(client.workflows.create(workflow("0x" + "22".repeat(20))), 400);
    await refused(client.workflows.create(workflow(runner, manual(), [code("not ok", "return 1")])), 400);
    await refused(client.workflows.retrieve(UNKNOWN), 404);
    await refused(client.workflows.pause(UNKNOWN), 404);
    await refused(client.workflows.trigger(UNKNOWN, run), 404);
    const { id } = await client.workflows.create(workflow(runner));
    await refused(client.executions.retrieve(UNKNOWN, { workflowId: id }), 404);
    await refused(stranger.workflows.retrieve(id), 404);
    await refused(stranger.workflows.trigger(id, run), 404);
    await stranger.workflows.cancel(id);
    assert.equal((await client.workflows.retrieve(id)).status, "enabled");
  },
};

const [name] = process.argv.slice(2);
if (name === "--list") console.log(Object.keys(scenarios).join("\n"));
else await scenarios[name]();
