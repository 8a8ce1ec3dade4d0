#!/bin/sh
# All static checks; every one runs, the exit status says whether all of them passed.
set -u

bin="$1"
status=0

"$bin/ruff" check . || status=1
"$bin/ruff" format --check . || status=1
"$bin/mypy" --strict layers/core/python/task_engine functions infra_cdk client || status=1
"$bin/lint-imports" || status=1
exit $status
