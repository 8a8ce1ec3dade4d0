// Walks the state machine's definition with the reference implementation of JSONata.
//
// Reads {definition, cases: [{input, answers}]} from standard input. `answers` maps
// "<nodeId>" or "<nodeId>/<chunk>" to a list of what the node's function answers, in turn;
// {"throw": "Error.Name"} fails the invocation. A node that is not listed answers done with its id.
// Writes [{output, transitions, invocations}] where `transitions` counts every state entered.
import { readFileSync } from "node:fs";
import jsonata from "jsonata";

const { definition, cases } = JSON.parse(readFileSync(0, "utf8"));
const compiled = new Map();

async function evaluate(template, bindings) {
  if (Array.isArray(template)) {
    return Promise.all(template.map((item) => evaluate(item, bindings)));
  }
  if (template !== null && typeof template === "object") {
    const pairs = await Promise.all(
      Object.entries(template).map(async ([key, value]) => [key, await evaluate(value, bindings)]),
    );
    return Object.fromEntries(pairs);
  }
  if (typeof template !== "string" || !template.startsWith("{%")) return template;
  const text = template.slice(2, -2).trim();
  if (!compiled.has(text)) compiled.set(text, jsonata(text));
  const result = await compiled.get(text).evaluate(undefined, bindings);
  // Step Functions fails a state whose expression gives nothing.
  if (result === undefined) throw new Error(`States.QueryEvaluationError: nothing from ${text}`);
  return JSON.parse(JSON.stringify(result));
}

class Walk {
  constructor(answers) {
    this.answers = structuredClone(answers ?? {});
    this.transitions = 0;
    this.invocations = [];
  }

  invoke(args) {
    const payload = args.Payload;
    const node = payload.nodeId;
    const isFinish = node === undefined;
    const part = payload.token ? "?" : payload.error ? "!" : payload.chunk === undefined ? "" : `/${payload.chunk}`;
    const name = `${node}${part}`;
    this.invocations.push(isFinish ? "finish" : name);
    if (isFinish) return { tokens: payload.tokens };
    const answer = (this.answers[name] ?? []).shift();
    if (answer?.throw) throw Object.assign(new Error(answer.throw), { task: true });
    return answer ?? { next: "done", tokens: payload.chunk === undefined ? [node] : [] };
  }

  async run(machine, input, scope, item) {
    let name = machine.StartAt;
    let value = input;
    const context = {
      Execution: { Id: "arn:walk" },
      Task: { Token: "token" },
      ...(item && { Map: { Item: item } }),
    };
    for (;;) {
      this.transitions += 1;
      const state = machine.States[name];
      const step = await this[state.Type](state, value, scope, context);
      value = step.output;
      if (state.End && !step.next) return value;
      name = step.next ?? state.Next;
    }
  }

  bind(scope, context, input, more = {}) {
    return { ...scope, states: { input, context, ...more } };
  }

  async assign(state, scope, bindings) {
    // All expressions see the values from before: Step Functions assigns at once.
    Object.assign(scope, await evaluate(state.Assign ?? {}, bindings));
  }

  async Pass(state, input, scope, context) {
    const bindings = this.bind(scope, context, input);
    const output = state.Output === undefined ? input : await evaluate(state.Output, bindings);
    await this.assign(state, scope, bindings);
    return { output };
  }

  async Wait(state, input, scope, context) {
    const seconds = await evaluate(state.Seconds, this.bind(scope, context, input));
    if (!Number.isInteger(seconds)) throw new Error("Wait needs whole seconds");
    return { output: input };
  }

  async Choice(state, input, scope, context) {
    const bindings = this.bind(scope, context, input);
    for (const rule of state.Choices) {
      const holds = await evaluate(rule.Condition, bindings);
      if (typeof holds !== "boolean") throw new Error(`not a boolean: ${rule.Condition}`);
      if (holds) {
        await this.assign(rule, scope, bindings);
        return { output: input, next: rule.Next };
      }
    }
    return { output: input, next: state.Default };
  }

  async caught(state, error, bindings) {
    if (!error.task || !state.Catch) throw error;
    const catcher = state.Catch[0];
    const errorOutput = { Error: error.message, Cause: "" };
    const states = { ...bindings.states, errorOutput };
    return { output: await evaluate(catcher.Output, { ...bindings, states }), next: catcher.Next };
  }

  async Task(state, input, scope, context) {
    const bindings = this.bind(scope, context, input);
    const args = await evaluate(state.Arguments, bindings);
    let result;
    try {
      result = { Payload: this.invoke(args) };
    } catch (error) {
      return this.caught(state, error, bindings);
    }
    const after = this.bind(scope, context, input, { result });
    return { output: await evaluate(state.Output, after) };
  }

  async Map(state, input, scope, context) {
    const bindings = this.bind(scope, context, input);
    const items = await evaluate(state.Items, bindings);
    const limit = await evaluate(state.MaxConcurrency, bindings);
    if (!Array.isArray(items)) throw new Error("Items is not an array");
    if (!Number.isInteger(limit)) throw new Error("MaxConcurrency is not a number");
    const result = [];
    try {
      for (const [Index, Value] of items.entries()) {
        const Item = { Index, Value };
        const inner = { ...context, Map: { Item } };
        const start = state.ItemSelector
          ? await evaluate(state.ItemSelector, this.bind(scope, inner, input))
          : Value;
        // Variables assigned inside an iteration stay there.
        result.push(await this.run(state.ItemProcessor, start, { ...scope }, Item));
      }
    } catch (error) {
      return this.caught(state, error, bindings);
    }
    const after = this.bind(scope, context, input, { result });
    const output = state.Output === undefined ? result : await evaluate(state.Output, after);
    await this.assign(state, scope, after);
    return { output };
  }
}

const results = [];
for (const { input, answers } of cases) {
  const walk = new Walk(answers);
  const output = await walk.run(definition, input, {}, undefined);
  results.push({ output, transitions: walk.transitions, invocations: walk.invocations });
}
process.stdout.write(JSON.stringify(results));
