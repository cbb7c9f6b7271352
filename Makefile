# `make` alone lists what there is to make.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
BOT := bot/.venv/bin
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: bench-nlu help setup setup-dev run train test test-fast test-bot lint bench-analytics bench-imports bench-scale format clean test-faults

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Prepare everything: both Python environments and the trained model
	@$(PYTHON) desk/environments.py
	@$(BIN)/desk train

setup-dev: ## The same with what tests and checks need
	@$(PYTHON) desk/environments.py --dev
	@$(BIN)/desk train

run: setup ## Prepare everything, load the demo shop if the store is empty, and start
	@DESK_DEMO=$${DESK_DEMO:-1} $(BIN)/desk up

train: ## Train the model if its sources changed
	@$(PYTHON) desk/environments.py
	@$(BIN)/desk train

test: setup-dev ## Run all tests, those of the whole running product included
	$(BIN)/python -m pytest
	@$(MAKE) --no-print-directory test-bot

test-fast: ## Run the tests that need neither the running product nor a browser
	@$(PYTHON) desk/environments.py --dev
	$(BIN)/python -m pytest -m "not product and not browser"

test-bot: ## Run the tests of Rasa's side in its own environment
	@$(PYTHON) desk/environments.py --dev
	$(BOT)/python -m pytest -c tests/bot/pytest.ini tests/bot

bench-nlu: ## Measure understanding on public sets beside other ways
	@$(PYTHON) desk/environments.py --dev
	$(BOT)/python benchmarks/nlu.py $(ARGS)

lint: ## Check style, types, who imports whom, secrets in files and known vulnerabilities in packages
	@$(PYTHON) desk/environments.py --dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/secret_scan.py
	$(BIN)/python .ci/dependency_audit.py $(AUDIT)

bench-analytics: setup-dev ## Measure the models on public shops (beside the checkout), with pictures
	$(BIN)/python -m benchmarks.analytics

bench-imports: setup-dev ## Measure imports of 500,000 order lines from Shopify, WooCommerce, Taobao and plain CSV
	$(BIN)/python -m benchmarks.imports

bench-scale: setup-dev ## Measure a full analysis of shops of 10,000 to 1,000,000 orders
	$(BIN)/python -m benchmarks.scale

test-faults: setup-dev ## Break a running desk at random while customers write; ARGS="--faults 1000 --seed 7"
	$(BIN)/python -m benchmarks.faults $(ARGS)

format: ## Put the code into its one format
	@$(PYTHON) desk/environments.py --dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove environments, models and caches; never var/ or .env
	rm -rf .venv bot/.venv .tools models .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .rasa
	find . -name __pycache__ -prune -exec rm -rf {} +
