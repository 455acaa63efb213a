# `make demo` and `make test` set everything up in .venv and run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.py pyproject.toml $(wildcard csrc/*) $(wildcard recirc_hw/backends/_native*.p[yx][xdi])
DEMO ?= demo

.PHONY: demo test test-slow coverage lint bench docs figures clean

demo: $(VENV)/.ready
	$(BIN)/recirc-hw demo --out $(DEMO)

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist worksteal

test-slow: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist worksteal -m slow

# Every test once more, half as fast, to see which lines none of them runs.
coverage: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist worksteal -m "" --cov=recirc_hw --cov-report=term:skip-covered

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks

docs: $(VENV)/.ready
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --fresh-env --quiet \
		docs build/docs
	@echo "open build/docs/index.html"

# What the papers' pages show: NAMES="lecture-addition ..." or all of it, half an hour; with
# RECIRC_HW_DATA also what learns from images, an hour more.
figures: $(VENV)/.ready
	$(BIN)/python docs/results.py $(NAMES)

$(VENV)/.ready: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build recirc_hw/backends/_native.c recirc_hw/backends/_native*.so
