#!/bin/sh
# Says what is missing before anything is installed: Python >= 3.11, Node >= 20, npm.
set -eu

python="$1"
fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "Python 3.11 or newer is needed: '$python' was not found"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed: '$python' is older (choose one by PYTHON=...)"
command -v node >/dev/null || fail "Node 20 or newer is needed: 'node' was not found"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] ||
    fail "Node 20 or newer is needed: found $(node --version)"
command -v npm >/dev/null || fail "npm is needed: it was not found"
