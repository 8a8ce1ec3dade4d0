// What custom code finds around it: console, state, require, crypto. Nothing else is there.
((convert, given) => {
  const { stringify, parse } = JSON;
  const { entropy, modules, sources } = given;
  const LONGEST_LOG = 65536;
  const MOST_RANDOM = 65536;

  const lines = [];
  let logged = 0;
  const shown = (value) => {
    if (typeof value === "string") return value;
    if (typeof value === "object" && value !== null && !(value instanceof Error)) {
      return stringify(convert(value));
    }
    return String(value);
  };
  const log = (...values) => {
    if (logged > LONGEST_LOG) return;
    const line = values.map(shown).join(" ");
    logged += line.length + 1;
    lines.push(logged > LONGEST_LOG ? "… (the rest of the log is left out)" : line);
  };
  globalThis.console = { log, info: log, warn: log, error: log, debug: log, trace: log };

  const stored = given.state;
  const changed = new Map();
  const stateKey = (key) => {
    if (typeof key !== "string" || key === "") throw new TypeError("state: a key is a non-empty text");
    return key;
  };
  globalThis.state = {
    get: (key) => {
      const text = changed.get(stateKey(key)) ?? (Object.hasOwn(stored, key) ? stored[key] : undefined);
      return text === undefined ? undefined : parse(text);
    },
    set: (key, value) => {
      changed.set(stateKey(key), stringify(convert(value)));
    },
    list: (prefix = "") =>
      [...new Set([...Object.keys(stored), ...changed.keys()])]
        .filter((key) => key.startsWith(prefix))
        .sort(),
  };

  if (entropy) {
    globalThis.crypto = {
      getRandomValues: (array) => {
        if (!ArrayBuffer.isView(array) || /Float|DataView/.test(array.constructor.name)) {
          throw new TypeError("crypto.getRandomValues: an array of integers is needed");
        }
        if (array.byteLength > MOST_RANDOM) {
          throw new RangeError(`crypto.getRandomValues: ${MOST_RANDOM} bytes at most`);
        }
        const hex = entropy(array.byteLength);
        const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
        return array;
      },
    };
  }

  const loaded = new Map();
  globalThis.require = (name) => {
    if (!modules.includes(name)) throw new Error(`Cannot find module '${name}': there are ${modules.join(", ")}`);
    if (!loaded.has(name)) {
      const module = { exports: {} };
      new Function("module", "exports", "require", sources[name])(module, module.exports, globalThis.require);
      loaded.set(name, module.exports);
    }
    return loaded.get(name);
  };
  globalThis.__default = (exports) => exports.default ?? exports;

  // The line of the source's own top level that an error came through; the Function constructor
  // puts two lines before a body.
  const described = (error, isBody) => {
    if (!(error instanceof Error)) return shown(error);
    const frame = isBody
      ? /^ *at (?:anonymous \()?<input>:(\d+)/m
      : /^ *at (?:<eval> \(<input>:(\d+):\d+\)\n +at eval |<input>:(\d+))/m;
    const found = error instanceof InternalError ? null : frame.exec(String(error.stack));
    const line = found ? Number(found[1] ?? found[2]) - (isBody ? 2 : 0) : 0;
    return String(error) + (line > 0 ? ` (line ${line})` : "");
  };

  let result;
  let problem;
  return (step, source, isBody) => {
    if (step === "start") {
      try {
        result = isBody ? new Function(source)() : (0, eval)(source);
      } catch (error) {
        problem = described(error, isBody);
      }
      return "";
    }
    let value = null;
    try {
      if (problem === undefined) value = convert(result);
    } catch (error) {
      problem = String(error);
    }
    return stringify({
      value,
      log: lines.join("\n"),
      changes: Array.from(changed),
      problem: problem === undefined ? null : problem,
    });
  };
})
