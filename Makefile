# Everything runs in a virtual environment of its own; `make test` and `make demo` set it up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint types contracts unit fuzz schemas docs clean

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "costpol needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The main job: validate, replay, serve, change the policy while requests flow. UPSTREAM=openai asks the real provider.
demo: $(INSTALLED)
	@$(BIN)/python examples/demo/demo.py --upstream $(or $(UPSTREAM),simulated)

test: lint types contracts unit

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports --no-cache

unit: $(INSTALLED)
	$(BIN)/pytest -n 2

# Coverage-guided, until stopped; says what to install.
fuzz: $(INSTALLED)
	$(BIN)/python tests/fuzz/atheris_target.py

# What is generated and committed: the editors' schemas and the pages of the lint rules.
schemas: $(INSTALLED)
	$(BIN)/costpol schema --write schemas

docs: $(INSTALLED)
	$(BIN)/costpol rule --all --write docs/rules
	$(BIN)/costpol schema --reference > docs/reference.md

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .costpol
