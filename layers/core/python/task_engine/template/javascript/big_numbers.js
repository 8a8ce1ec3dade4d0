// Whole numbers of any size: comparisons, and amounts with decimals.
(() => {
  const toBigInt = (value) => {
    if (typeof value === "bigint") return value;
    if (typeof value === "number") {
      if (!Number.isSafeInteger(value)) throw new RangeError("toBigInt: not a safe whole number");
      return BigInt(value);
    }
    const text = String(value).trim();
    if (!/^(-?\d+|0x[0-9a-f]+)$/i.test(text)) throw new SyntaxError("toBigInt: not a whole number");
    return BigInt(text);
  };
  const bigCmp = (a, b) => {
    const left = toBigInt(a), right = toBigInt(b);
    return left < right ? -1 : left > right ? 1 : 0;
  };
  const parseUnit = (text, decimals) => {
    if (!Number.isInteger(decimals) || decimals < 0 || decimals > 78) {
      throw new RangeError("parseUnit: decimals must be a whole number from 0 to 78");
    }
    const found = /^(\d+)(?:\.(\d+))?$/.exec(String(text).trim());
    if (!found) throw new SyntaxError("parseUnit: not a decimal number of zero or more");
    const fraction = found[2] || "";
    if (fraction.length > decimals) {
      throw new RangeError(`parseUnit: more than ${decimals} fractional digits`);
    }
    return BigInt(found[1] + fraction.padEnd(decimals, "0"));
  };
  const names = {
    toBigInt,
    bigCmp,
    bigGt: (a, b) => bigCmp(a, b) > 0,
    bigLt: (a, b) => bigCmp(a, b) < 0,
    parseUnit,
  };
  for (const name of Object.keys(names)) {
    if (!Object.hasOwn(globalThis, name)) globalThis[name] = names[name];
  }
})()
