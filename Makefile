# Everything sets itself up: Python ≥ 3.11, Node ≥ 20 and make are all that must be there.
# Repeated runs cost nothing: each installation has a stamp file.

PYTHON ?= python3
UV_VERSION := 0.13.9
CDK_VERSION := 2.1148.1

VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
EMULATOR := .local/emulator

ARGS ?=
# Processes that share the tests' files among them; each has a stage of its own.
WORKERS ?= 2
STAGE ?= dev
COUNT ?= 2000
OWNERS ?= 50

.DEFAULT_GOAL := help
.PHONY: help setup demo dev dev-stop ops test rights faults load bench lint format openapi permissions deploy \
	lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

setup: $(VENV)/.installed $(EMULATOR)/.installed node_modules/.installed .local/.prepared  ## install what the rest needs

demo: setup  ## the whole product in a minute and a half, on this machine
	@$(PY) -m infra_cdk.local demo

dev: setup  ## start a local stage in the background
	@$(PY) -m infra_cdk.local dev

dev-stop: setup  ## stop the local stage that `make dev` started
	@$(PY) -m infra_cdk.local stop

ops: setup  ## look after a deployment, e.g. make ops ARGS="--stage dev alarms"
	@$(PY) -m infra_cdk.ops $(ARGS)

test: setup  ## run the tests; ARGS go to pytest, e.g. make test ARGS="tests/unit -x"
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

rights: setup  ## run all deployed tests in one process and tell which rights nothing needed
	@$(PY) -m pytest -m deployed tests/e2e tests/cases

faults: setup  ## break every call of every function, in all ways; takes a quarter of an hour
	@FAULTS=all $(PY) -m pytest -n $(WORKERS) --dist loadfile tests/faults tests/e2e/faults $(ARGS)

load: setup  ## COUNT executions of OWNERS owners, one of them 100 times as busy as the rest
	@$(PY) -m tests.load --count $(COUNT) --owners $(OWNERS) $(ARGS)

bench: setup  ## measure; prints tables and saves them as JSON
	@$(PY) -m tests.benchmarks $(ARGS)

lint: setup  ## ruff, mypy --strict and the import contracts
	@sh scripts/lint.sh $(VENV)/bin

format: setup  ## apply ruff's fixes and formatting
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

openapi: setup  ## write docs/openapi.json and the pages that the API serves, from the code
	@$(PY) -m task_engine.api.openapi

permissions: setup  ## write docs/permissions.md, what every function may do, from the catalogue
	@$(PY) -m infra_cdk.permission_table

deploy: setup  ## deploy STAGE (dev, prod) to the AWS account at hand
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npx --yes aws-cdk@$(CDK_VERSION) deploy --all \
		--context stage=$(STAGE) $(ARGS)

lock: $(VENV)/.installed  ## resolve the dependency groups again into locks/
	@sh scripts/lock.sh $(UV)

clean: ## stop what runs and remove everything that these targets made
	@if [ -x $(PY) ] && [ -f .local/endpoint.json ]; then $(PY) -m infra_cdk.local stop; fi
	rm -rf .local .cache cdk.out node_modules $(VENV)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(UV):
	@scripts/check-tools.sh "$(PYTHON)"
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.installed: locks/dev.txt pyproject.toml | $(UV)
	$(UV) pip install --quiet --python $(PY) --require-hashes -r locks/dev.txt
	$(UV) pip install --quiet --python $(PY) --no-deps -e .
	@touch $@

$(EMULATOR)/.installed: locks/emulator.txt | $(UV)
	@mkdir -p .local
	$(PYTHON) -m venv --without-pip $(EMULATOR)
	$(UV) pip install --quiet --python $(EMULATOR)/bin/python --require-hashes -r locks/emulator.txt
	@touch $@

.local/.prepared: $(VENV)/.installed
	@mkdir -p .local
	@$(PY) -m infra_cdk.local prepare
	@touch $@

node_modules/.installed: package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@
