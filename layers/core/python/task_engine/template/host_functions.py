"""Functions on big integers that expressions and scripts may call; in JavaScript."""

from __future__ import annotations

_NAMES = ("bigCmp", "bigGt", "bigLt", "parseUnit", "toBigInt")
_SOURCE = r"""
globalThis.toBigInt = (value) => {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^\s*(-?\d+|0[xX][0-9a-fA-F]+)\s*$/.test(value)) {
    return BigInt(value);
  }
  throw new TypeError('not a whole number: ' + String(value));
};
globalThis.bigCmp = (a, b) => {
  const x = toBigInt(a), y = toBigInt(b);
  return x < y ? -1 : x > y ? 1 : 0;
};
globalThis.bigGt = (a, b) => bigCmp(a, b) > 0;
globalThis.bigLt = (a, b) => bigCmp(a, b) < 0;
globalThis.parseUnit = (text, decimals) => {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 78) {
    throw new RangeError('decimals must be 0 to 78');
  }
  const found = /^(\d+)(?:\.(\d+))?$/.exec(String(text).trim());
  if (!found) throw new TypeError('not a decimal number: ' + String(text));
  const fraction = found[2] || '';
  if (fraction.length > decimals) throw new RangeError('more than ' + decimals + ' decimals');
  return BigInt(found[1] + fraction.padEnd(decimals, '0'));
};
"""


def host_functions(source: str) -> str:
    """Their definitions when `source` mentions one, otherwise nothing: most do not pay for them."""
    return _SOURCE if any(name in source for name in _NAMES) else ""
