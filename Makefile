# Each target makes what it needs; nothing has to be installed but Python 3.10 or newer.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Each program that a test starts would else compile the SDK anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help test demo lint types docs browser pages suite coverage mutants lanes lane frameworks framework clients peers pins clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: lint types docs suite ## everything on the latest SDK: lint, types, pages, tests

demo: $(READY) ## watch an OpenAI program talk to a Tess agent
	@$(BIN)/python tools/demo.py

lint: $(READY) ## ruff: rules and format
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@echo "lint: ok"

types: $(READY) ## mypy and basedpyright, both strict
	@$(BIN)/mypy
	@$(BIN)/basedpyright --warnings

docs: $(READY) ## build the pages into site/; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "docs: ok"

browser: $(READY) ## what looks at the pages in the tests; installs it where CI is set
	@$(BIN)/python tools/browser.py

pages: $(READY) ## renew the tables of docs/ that are made from the code
	@$(BIN)/python tools/pages.py

suite: $(READY) ## the tests alone; ARGS="-k stream" chooses
	@$(BIN)/pytest -n 4 --dist worksteal -q $(ARGS)

coverage: $(READY) ## which branches of core/ no test has tried
	@$(BIN)/coverage run --branch --source=tess_openai/core -m pytest -q tests/unit
	@$(BIN)/coverage report --show-missing --skip-covered

mutants: $(READY) ## which small changes of core/ and edge/ no unit test notices; ARGS="tess_openai.core.policy*" chooses
	@$(BIN)/mutmut run --max-children 2 $(ARGS)
	@$(BIN)/mutmut results

lanes: $(READY) ## the suite on every SDK and Python we support
	@$(BIN)/python tools/lanes.py

lane: $(READY) ## one of them: make lane LANE=openai-1.66.0
	@$(BIN)/python tools/lanes.py $(or $(LANE),--help)

frameworks: $(READY) ## the presets with every framework's own release, and what the table of the pages says
	@$(BIN)/python tools/frameworks.py $(ARGS)

framework: $(READY) ## one of them: make framework FRAMEWORK=langchain
	@$(BIN)/python tools/frameworks.py $(or $(FRAMEWORK),--help)

clients: $(READY) ## real clients in other languages against the gateway, as their users start them
	@$(BIN)/python tools/clients.py

peers: $(READY) ## the same work through this package, the plain SDK and its peers; ARGS=--record keeps it
	@$(BIN)/python tools/peers.py $(ARGS)

pins: $(READY) ## renew requirements/*.txt
	@$(BIN)/python tools/pins.py

clean: ## remove what the other targets made
	rm -rf .venv .lanes site dist mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

$(READY): requirements/dev.txt pyproject.toml tools/environment.py
	@$(PYTHON) tools/environment.py
