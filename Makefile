# What a newcomer needs: Python 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TESTABLE := $(VENV)/.testable
MEASURABLE := $(VENV)/.measurable
DEMO ?= demo

.PHONY: demo test fuzz check bench clean

demo: $(INSTALLED)  ## Simulate a small study, train on it, print its table, write a report
	$(BIN)/beholder simulate $(DEMO)/small --preset small --seed 0 --overwrite
	$(BIN)/beholder inspect $(DEMO)/small
	$(BIN)/beholder train $(DEMO)/small $(DEMO)/run --tasks g2t,t2g,t2p,p2t --overwrite
	$(BIN)/beholder evaluate $(DEMO)/run --report $(DEMO)/report.html

test: $(TESTABLE)  ## Run the tests; those that need Chromium or real data skip where it is absent
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

fuzz: $(TESTABLE)  ## Run the property tests on examples that were not tried before
	HYPOTHESIS_PROFILE=new $(BIN)/python -m pytest -n 2 $$(grep -rl "from hypothesis" tests/ --include='test_*.py')

check: $(TESTABLE)  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(MEASURABLE)  ## Measure again what the README states
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.significance
	$(BIN)/python -m benchmarks.comparison
	$(BIN)/python -m benchmarks.truth
	$(BIN)/python -m benchmarks.preparation
	$(BIN)/python -m benchmarks.narratives
	$(BIN)/python -m benchmarks.collect
	$(BIN)/python -m benchmarks.enrolment
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.latency
	$(BIN)/python -m benchmarks.ranks
	$(BIN)/python -m benchmarks.ceilings
	$(BIN)/python -m benchmarks.million
	$(BIN)/python -m benchmarks.objectives
	$(BIN)/python -m benchmarks.steps

clean:
	rm -rf $(VENV) $(DEMO) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Beholder needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(TESTABLE): $(INSTALLED)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test,check]'
	touch $@

$(MEASURABLE): $(TESTABLE)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@
