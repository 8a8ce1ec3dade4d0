// What users of the published SDK do, each against the stage named by BASE_URL.
import assert from "node:assert/strict";
import { Wallet as EthersWallet } from "ethers";
import { APIError, Client, Nodes, Triggers, buildAuthMessage } from "@avaprotocol/sdk-js";

const { BASE_URL, OWNER, OWNER_KEY, STRANGER_KEY, HTTP_URL, GRAPHQL_URL } = process.env;
// A wallet with an ether and 5 units of a token, and a counter, on the stage's own chain.
const { WALLET, COUNTER, TOKEN, COUNTER_ABI, TOKEN_ABI } = process.env;
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

const PAYEE = "0x00000000000000000000000000000000000000AA";
const abi = (text) => JSON.parse(text);
const SELECTORS = { increment: "0xd09de08a", transfer: "0xa9059cbb", coin: "0x00000000" };

function policy() {
  return {
    chainId: CHAIN,
    agentLabel: "the SDK",
    allowedActions: [
      { target: COUNTER, selectors: [SELECTORS.increment] },
      { target: TOKEN, selectors: [SELECTORS.transfer] },
      { target: PAYEE, selectors: [SELECTORS.coin], maxValue: "5000" },
    ],
    erc20SpendCap: { token: TOKEN, amount: "3000000" },
    expiresInSeconds: 3600,
  };
}

/** What a prepared policy and its request have to say when it is submitted. */
function signable({ policyId, entityId, deadline, validUntil }) {
  const { expiresInSeconds, ...asked } = policy();
  return { ...asked, policyId, entityId, deadline, validUntil };
}

async function onChain() {
  const client = await signedIn(OWNER_KEY);
  const owner = new EthersWallet(OWNER_KEY);
  const sign = ({ domain, types, message }) => {
    const { EIP712Domain, ...rest } = types;
    return owner.signTypedData(domain, rest, message);
  };
  return { client, sign };
}

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
    const block = await client.triggers.run({ trigger: kinds[3] });
    assert.equal(block.success, true);
    assert.match(block.output.data.blockHash, /^0x[0-9a-f]{64}$/);
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
    const told = [];
    const again = await client.workflows.trigger(id, { ...run, isBlocking: false });
    for await (const summary of client.executions.stream(again.executionId, { workflowId: id, interval: "250ms" })) {
      assert.equal(summary.id, again.executionId);
      told.push(summary.status);
    }
    assert.equal(told.at(-1), "success");
    assert.equal(new Set(told).size, told.length, `each status once: ${told}`);
    const stats = await client.executions.stats({ workflowId: [id] });
    assert.deepEqual([stats.total, stats.succeeded, stats.failed], [2, 2, 0]);
  },

  async approvals() {
    const { client, runner } = await setting();
    const wait = { id: "ask", name: "ask", type: "await", config: { channel: "api", prompt: "pay?", approvers: [OWNER], timeoutSeconds: 600 } };
    const decide = async (decision) => {
      const nodes = [wait, code("paid", "return ask.data.amount")];
      const task = workflow(runner, manual(), nodes, [edge("t", "ask"), edge("ask", "paid")]);
      const { id } = await client.workflows.create(task);
      const begun = await client.workflows.trigger(id, { ...run, isBlocking: true });
      assert.equal(begun.status, "waiting");
      const of = { workflowId: id };
      await client.executions.signal(begun.executionId, { ...of, decision, payload: { amount: 7 } });
      await client.executions.waitForTerminal(begun.executionId, { ...of, interval: "250ms" });
      return client.executions.retrieve(begun.executionId, of);
    };
    const approved = await decide("approve");
    assert.equal(approved.steps.find((step) => step.id === "paid").output.data, 7);
    assert.ok(!(await decide("reject")).steps.some((step) => step.id === "paid" && step.success));
  },

  async operators() {
    const { client } = await setting();
    const { data } = await client.operators.list();
    assert.ok(Array.isArray(data));
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

  async policies() {
    const { client, sign } = await onChain();
    const made = await client.policies.grant(WALLET, policy(), sign);
    assert.match(made.id, /^0x[0-9a-f]{64}$/);
    const again = await client.policies.prepare(WALLET, policy());
    assert.ok(again.entityId > made.entityId);
    const stored = await client.policies.submit(WALLET, {
      ...signable(again), signature: await sign(again.typedData),
    });
    assert.deepEqual(stored.supersededPolicyIds, [made.id]);
    const { items } = await client.policies.list(WALLET, { chainId: CHAIN });
    assert.deepEqual(items.map((item) => item.status), ["active", "revoked"]);
    const read = await client.policies.get(WALLET, stored.id, { chainId: CHAIN });
    assert.equal(read.erc20SpendCap.amount, "3000000");
    const revoked = await client.policies.revoke(WALLET, stored.id, { chainId: CHAIN });
    assert.equal(revoked.status, "revoked");
    assert.equal(revoked.onChainCleanup.target, WALLET);
    const wrong = { ...signable(again), signature: "0x" + "11".repeat(64) + "1b" };
    await refused(client.policies.submit(WALLET, wrong), 400);
  },

  async onchain() {
    const { client, sign } = await onChain();
    const inputVariables = { settings: { runner: WALLET, chain_id: CHAIN } };
    const single = (node, options) => client.nodes.run({ node, inputVariables }, options);
    const read = await single(Nodes.contractRead({
      id: "r", name: "r", contractAddress: TOKEN, contractAbi: abi(TOKEN_ABI), chainId: CHAIN,
      methodCalls: [
        { methodName: "balanceOf", methodParams: [WALLET] },
        { methodName: "decimals", methodParams: [], applyToFields: ["balanceOf"] },
      ],
    }));
    assert.equal(read.success, true, read.error);
    assert.equal(read.output.data.balanceOf, "5");
    const balance = await single(Nodes.balance({ id: "b", name: "b", address: WALLET, chain: "sepolia" }));
    assert.equal(balance.success, true, balance.error);
    assert.ok(balance.output.data.some((row) => row.symbol === "ETH" && row.balanceFormatted === "1"));
    const write = (isSimulated) => Nodes.contractWrite({
      id: "w", name: "w", contractAddress: COUNTER, contractAbi: abi(COUNTER_ABI), chainId: CHAIN,
      methodCalls: [{ methodName: "increment", methodParams: [] }], isSimulated,
    });
    // Simulated: no grant is needed, nothing lasts
    const tried = await single(write());
    assert.equal(tried.success, true, tried.error);
    assert.deepEqual(tried.executionContext, { is_simulated: true, provider: "tenderly", chain_id: CHAIN });
    assert.ok(tried.output.data.increment.Counted);
    // For real, by the owner's grant, once per key
    const without = await single(write(false));
    assert.equal(without.success, false);
    assert.equal(without.errorCode, "SESSION_POLICY_REQUIRED");
    await client.policies.grant(WALLET, policy(), sign);
    const real = await single(write(false), { idempotencyKey: "sdk-1" });
    assert.equal(real.success, true, real.error);
    assert.equal(real.executionContext.is_simulated, false);
    assert.match(real.metadata.results[0].receipt.transactionHash, /^0x[0-9a-f]{64}$/);
    const repeated = await single(write(false), { idempotencyKey: "sdk-1" });
    assert.deepEqual(repeated.metadata, real.metadata);
    const { nonce } = await client.wallets.getNonce(WALLET);
    assert.match(nonce, /^[0-9]+$/);
    // A transfer in a workflow, tried out and done
    const transfer = Nodes.ethTransfer({
      id: "pay", name: "pay", destination: PAYEE, amountWei: "1000", chainId: CHAIN,
    });
    const { trigger, edges, nodes } = workflow(WALLET, manual(), [transfer]);
    const simulated = await client.workflows.simulate({ trigger, edges, nodes, inputVariables });
    assert.equal(simulated.status, "success", simulated.error);
    const task = await client.workflows.create({ ...workflow(WALLET, manual(), [transfer]) });
    const ended = await client.workflows.trigger(task.id, { ...run, isBlocking: true });
    assert.equal(ended.status, "success", ended.error);
    const { steps } = await client.executions.retrieve(ended.executionId, { workflowId: task.id });
    assert.deepEqual(steps[1].output.data.transfer, { from: WALLET, to: PAYEE, value: "1000" });
    assert.ok(BigInt(steps[1].totalGasCost) > 0n);
    // Fees know the chain's gas
    const fees = await client.workflows.estimateFees({
      trigger, nodes: [transfer, write()], edges, createdAt: Date.now(), expireAt: 0, maxExecution: 0,
      chainId: CHAIN,
    });
    assert.deepEqual(fees.cogs.map((cost) => cost.nodeId), ["pay", "w"]);
    assert.ok(fees.cogs.every((cost) => BigInt(cost.fee.amount) > 0n && cost.fee.unit === "WEI"));
    const taken = await client.wallets.withdraw(WALLET, {
      recipientAddress: PAYEE, amount: "2000", token: "ETH", chainId: CHAIN,
    });
    assert.match(taken.userOpHash, /^0x[0-9a-f]{64}$/);
    assert.equal(taken.status, "confirmed");
    const tokens = { recipientAddress: PAYEE, amount: "1000000", token: TOKEN, chainId: CHAIN };
    assert.equal((await client.wallets.withdraw(WALLET, tokens)).status, "confirmed");
    const much = { ...tokens, amount: "9000000" };
    await refused(client.wallets.withdraw(WALLET, much), 400, "WITHDRAW_INSUFFICIENT_FUNDS");
    // Metadata of tokens is for partners
    await refused(client.tokens.retrieve(TOKEN, { chainId: CHAIN }), 401, "AUTH_REQUIRED");
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
