# What a newcomer needs: Python 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO ?= demo

.PHONY: demo test check bench clean

demo: $(INSTALLED)  ## Simulate a small study, train on it, print its table, write a report
	$(BIN)/beholder simulate $(DEMO)/small --preset small --seed 0 --overwrite
	$(BIN)/beholder inspect $(DEMO)/small
	$(BIN)/beholder train $(DEMO)/small $(DEMO)/run --tasks g2t,t2g,t2p,p2t --overwrite
	$(BIN)/beholder evaluate $(DEMO)/run --report $(DEMO)/report.html

test: $(INSTALLED)  ## Run the tests; those that need Chromium or real data skip where it is absent
	$(BIN)/python -m pytest -n 2

check: $(INSTALLED)  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)  ## Measure again what the README states
	$(BIN)/python -m benchmarks.didec
	$(BIN)/python -m benchmarks.speed

clean:
	rm -rf $(VENV) $(DEMO) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Beholder needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test,check]'
	touch $@
