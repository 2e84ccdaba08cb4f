# Habeas on one machine: Python 3.11 or newer and make are all it needs. `make` alone lists the targets.
PYTHON ?=
VENV ?= .venv
REQUESTS ?= 40
SEED ?= 1
STEPS ?= 10000
EXAMPLES ?= 2000
INTERCOM ?=
AXE ?= node_modules/axe-core/axe.min.js
ARGS ?=

PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3)
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-find-links --python-version 3.11
RUN := $(VENV)/.habeas-run
DEV := $(VENV)/.habeas-dev
PEER := $(VENV)-peer/.habeas-peer
LOCALSTRIPE := $(VENV)-localstripe/.habeas-localstripe

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test lint fix generate verify bench answer person asyncapi looks faults simulate years stores connectors fuzz logs lock clean

help: ## List these targets
	@echo "Habeas: privacy requests, verified, fulfilled, on time, proved."
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) ## Make the virtual environment with everything that tests and lint need

run: $(RUN) ## Run the main job and stay up until Ctrl-C (REQUESTS=40 SEED=1)
	@$(VENV)/bin/habeas demo --stay --requests $(REQUESTS) --seed $(SEED)

demo: $(RUN) ## The same, ending by itself with one line that says what was proved
	@$(VENV)/bin/habeas demo --requests $(REQUESTS) --seed $(SEED)

test: $(DEV) ## Run the tests; ARGS="tests/unit -k deadline" chooses some
	@$(VENV)/bin/pytest $(ARGS)

lint: $(DEV) ## Check format, rules, walls between rooms, types and generated files
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/mypy
	@$(VENV)/bin/python -m deploy.generate --check

fix: $(DEV) ## Format, and mend what ruff can mend by itself
	@$(VENV)/bin/ruff check --fix-only .
	@$(VENV)/bin/ruff format .

generate: $(DEV) ## Write schemas, AsyncAPI, reference pages and the map from the catalogue
	@$(VENV)/bin/python -m deploy.generate

verify: $(DEV) ## Fail if a generated file is not what the catalogue says
	@$(VENV)/bin/python -m deploy.generate --check

bench: $(DEV) $(PEER) ## Measure lifecycles per second beside a floor and DBOS; writes docs/proof/speed.md
	@$(VENV)/bin/python bench/lifecycle.py $(or $(ARGS),--floor --dbos $(VENV)-peer/bin/python --page docs/proof/speed.md)

answer: $(DEV) ## Measure the memory that an answer of a million rows takes; writes docs/proof/answer.md
	@$(VENV)/bin/python -m bench.answer --page docs/proof/answer.md $(ARGS)

person: $(DEV) ## Have one person of a million rows shown and deleted, for as long as it takes; writes docs/proof/person.md
	@$(VENV)/bin/python -m bench.person --page docs/proof/person.md $(ARGS)

asyncapi: $(DEV) ## Have the AsyncAPI project's own parser read our documents (Node.js); writes docs/proof/asyncapi.md
	@test -d node_modules/@asyncapi/parser || npm install --silent --no-audit --no-fund --no-save @asyncapi/parser@3.6.3
	@node tests/contracts/events/asyncapi.mjs node_modules deploy/schemas/*asyncapi.yaml \
	  | $(VENV)/bin/python -m tests.contracts.events.asyncapi_page

looks: $(DEV) ## Look at answers, letters and published pages with a real browser and axe; AXE=node_modules/axe-core/axe.min.js
	@$(VENV)/bin/python -m tests.looks.look --axe $(AXE)

faults: $(DEV) ## Inject every fault into running services and write docs/proof/faults.md (about an hour)
	@$(VENV)/bin/python -m tests.faults.report $(ARGS)

fuzz: $(DEV) ## Throw random requests, records and stories at the services for longer than the tests do (EXAMPLES=2000)
	@HABEAS_FUZZ_EXAMPLES=$(EXAMPLES) $(VENV)/bin/pytest tests/fuzz tests/simulation --timeout 3600 $(ARGS)

stores: $(DEV) ## Hold the suite of every adapter against real servers (ARGS="mariadb mysql"); writes docs/proof/stores.md
	@$(VENV)/bin/python -m tests.stores.report $(or $(ARGS),--page docs/proof/stores.md)

connectors: $(DEV) $(LOCALSTRIPE) ## Try connectors on what there is of their vendors (INTERCOM=FILE); writes docs/proof/connectors.md
	@$(VENV)/bin/python -m tests.stores.connectors --localstripe $(VENV)-localstripe/bin/localstripe \
	  $(if $(INTERCOM),--intercom $(INTERCOM)) $(or $(ARGS),--page docs/proof/connectors.md)

simulate: $(DEV) ## Simulate all services with every kind of trouble (SEED=1 STEPS=10000)
	@$(VENV)/bin/python -m tests.simulation.run --seed $(SEED) --steps $(STEPS)

years: $(DEV) ## Live 20,000 requests of two years, check every date another way, write docs/proof/two-years.md
	@$(VENV)/bin/python -m tests.two_years.run --page docs/proof/two-years.md $(ARGS)

logs: $(RUN) ## Follow the logs of the embedded servers
	@$(VENV)/bin/habeas stack logs --follow

lock: $(DEV) ## Pin what pyproject.toml asks for, with hashes, after a change to its dependencies
	@command -v uv >/dev/null || { echo "make lock needs uv, which pins for every platform at once."; exit 1; }
	@$(COMPILE) --extra build --extra stack pyproject.toml --output-file requirements/run.txt
	@$(COMPILE) --extra dev --constraint requirements/run.txt pyproject.toml --output-file requirements/dev.txt
	@echo "dbos==3.4.0" | $(COMPILE) --output-file requirements/bench-dbos.txt -
	@echo "localstripe==1.15.10" | $(COMPILE) --output-file requirements/localstripe.txt -

clean: ## Stop the embedded stack, remove the virtual environment and caches; .habeas/ stays
	@if [ -x $(VENV)/bin/habeas ] && [ -e .habeas/stack.json ]; then $(VENV)/bin/habeas stack down; fi
	@rm -rf $(VENV) $(VENV)-peer $(VENV)-localstripe dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find services shared deploy tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp per set of requirements: installed once, and again when its file changes.
$(RUN): requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what is needed to run (once; a few minutes on a slow line) ..."
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what is needed to develop (once; a few minutes on a slow line) ..."
	@$(PIP) install --no-compile --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(RUN) $@

# What the bench compares with never shares an environment with us.
$(PEER): requirements/bench-dbos.txt | $(VENV)/bin/python
	@echo "Installing what the bench compares with (once) ..."
	@$(VENV)/bin/python -m venv --clear $(VENV)-peer
	@$(VENV)-peer/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/bench-dbos.txt
	@touch $@

# A double of Stripe under the GPL: a program beside us that is talked to over HTTP, in an environment of its own.
$(LOCALSTRIPE): requirements/localstripe.txt | $(VENV)/bin/python
	@echo "Installing localstripe (once) ..."
	@$(VENV)/bin/python -m venv --clear $(VENV)-localstripe
	@$(VENV)-localstripe/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/localstripe.txt
	@touch $@

# Which of them is the fastest is told by the first that can tell (deploy/interpreter.py).
$(VENV)/bin/python:
	@for one in $(PYTHONS); do python=$$("$$one" deploy/interpreter.py $(PYTHONS)) && break; done; \
	if [ -z "$$python" ]; then \
	  echo "Habeas needs Python 3.11 or newer that can make virtual environments (on Debian and Ubuntu: python3-venv),"; \
	  echo "and none of these is: $(PYTHONS). Say which: make PYTHON=/path/to/python3.11"; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version), $$python ..."; \
	"$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
