// What a value becomes when it leaves JavaScript: something that JSON can hold.
((Date, Map, Set, Promise, ArrayBuffer, Uint8Array, isView, isArray, keys) => {
  const DEEPEST = 128;

  const convertObject = (value, depth) => {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Promise) return null;
    if (value instanceof Map) {
      const out = Object.create(null);
      for (const [key, item] of value) out[String(key)] = convert(item, depth + 1);
      return out;
    }
    if (value instanceof Set) return Array.from(value, (item) => convert(item, depth + 1));
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      return Array.from(new Uint8Array(value));
    }
    if (value instanceof DataView) {
      return Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
    if (isView(value)) return Array.from(value, (item) => convert(item, depth + 1));
    if (isArray(value)) return Array.from(value, (item) => convert(item, depth + 1));
    if (typeof value.toJSON === "function") return convert(value.toJSON(), depth + 1);
    if (
      value instanceof Number || value instanceof String ||
      value instanceof Boolean || value instanceof BigInt
    ) {
      return convert(value.valueOf(), depth + 1);
    }
    if (value instanceof RegExp) return String(value);
    const out = Object.create(null);
    if (value instanceof Error) {
      out.name = String(value.name);
      out.message = String(value.message);
    }
    for (const key of keys(value)) out[key] = convert(value[key], depth + 1);
    return out;
  };

  const convert = (value, depth) => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : 0;
      case "bigint":
        return value.toString();
      case "object":
        if (value === null) return null;
        if (depth > DEEPEST) {
          throw new RangeError(`the value is nested deeper than ${DEEPEST} levels, or refers to itself`);
        }
        return convertObject(value, depth);
      default:
        return null;
    }
  };

  return (value) => convert(value, 0);
})(Date, Map, Set, Promise, ArrayBuffer, Uint8Array, ArrayBuffer.isView, Array.isArray, Object.keys)
