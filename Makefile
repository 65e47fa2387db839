# make demo, make test: each sets itself up. Needs Python 3.10 or later and make.
PYTHON ?= python3
BIN := .venv/bin
ifneq ($(wildcard ../shared/data),)
export RULENET_DATA ?= $(abspath ../shared/data)
endif

.PHONY: venv demo test quick lint bench clean

venv: .venv/.installed

# torch first and pinned: left to itself, pip would fetch a build with several gigabytes of CUDA.
.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: venv
	$(BIN)/rulenet demo

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Everything: style, types, doctests, slow tests, tests on real data where RULENET_DATA names it.
test: lint
	$(BIN)/python -m pytest

# What to run while working: under two minutes.
quick: venv
	$(BIN)/python -m pytest -m "not slow and not data"

# Each script prints its figures, writes benchmarks/results/, and fails when it falls short of its claim.
bench: venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt spacy
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv build dist report.html .pytest_cache .mypy_cache .ruff_cache .hypothesis
