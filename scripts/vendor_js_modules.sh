#!/usr/bin/env bash
# Makes the JavaScript modules that custom code may require, as single CommonJS files.
set -euo pipefail
cd "$(dirname "$0")/.."
target=layers/core/python/task_engine/template/modules
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm init -y >/dev/null && npm install --silent --save-exact \
  lodash@4.18.1 dayjs@1.11.23 uuid@14.0.3 esbuild@0.28.2)
cp "$work/node_modules/lodash/lodash.min.js" "$target/lodash.js"
cp "$work/node_modules/dayjs/dayjs.min.js" "$target/dayjs.js"
cat > "$work/uuid.js" <<'JS'
export { v1, v3, v4, v5, NIL, validate, parse, stringify } from "uuid";
JS
(cd "$work" && npx esbuild uuid.js --bundle --format=cjs --target=es2020 --minify --log-level=warning \
  --outfile=uuid.bundle.js)
cp "$work/uuid.bundle.js" "$target/uuid.js"
{
  echo "# Licences of the vendored modules"
  for name in lodash dayjs uuid; do
    version=$(node -p "require('$work/node_modules/$name/package.json').version")
    printf '\n## %s %s\n\n' "$name" "$version"
    cat "$work/node_modules/$name"/LICENSE*
  done
} > "$target/LICENSES.md"
