# Two commands matter: `make serve` (the demo bank on http://localhost:8000) and `make test` (every gate).
PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= ./var
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: serve test lint types contracts unit format lock clean

serve: $(VENV)/.serving
	OPENTELLER_DATA_DIR=$(DATA_DIR) $(BIN)/teller serve --demo --port $(PORT)

# Modules are compiled when they are first used: most never are, and they would be 250 MB.
$(VENV)/.serving: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-compile -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.serving
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.lock
	touch $@

test: lint types contracts unit

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile --cov --cov-branch --cov-report=term:skip-covered -q

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info src/*.egg-info
