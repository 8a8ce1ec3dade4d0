#!/bin/sh
# Resolves each dependency group of pyproject.toml into locks/<group>.txt, for every platform,
# with hashes, and without the address of any index.
set -eu

uv="$1"
for group in base-layer infra cli emulator dev; do
    "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url \
        --no-emit-find-links --no-header --no-annotate --python-version 3.11 \
        --group "$group" --output-file "locks/$group.txt"
done
