// Lets each object answer to the other spelling of its keys, unseen by loops and JSON.
((roots, aliases) => {
  const others = new Map(aliases);
  const stack = [...roots];
  while (stack.length) {
    const value = stack.pop();
    if (value === null || typeof value !== "object") continue;
    for (const key of Object.keys(value)) {
      const item = value[key];
      stack.push(item);
      const other = others.get(key);
      if (other !== undefined && !Object.hasOwn(value, other)) {
        Object.defineProperty(value, other, {
          value: item, enumerable: false, writable: true, configurable: true,
        });
      }
    }
  }
})
