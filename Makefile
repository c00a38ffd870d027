# `make` alone says what there is. Everything runs in ./.venv, installed from locked versions.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
SCALE ?= 20000
PORT ?= 8000
PIP := .venv/bin/pip --disable-pip-version-check -qq
# Tests wait for their servers half the time: four at once keep two processors busy.
PYTEST := .venv/bin/pytest -n 4 --dist loadfile --no-loadscope-reorder
export LIENTHONG_PORT := $(PORT)
# Every process of ours starts from bytecode, also where the environment says to write none: compiling the package anew takes each a second.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-deep lint bench evaluate lock clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.installed ## load a whole made-up province and serve it (SCALE=persons, PORT=8000); Ctrl-C stops it
	@exec .venv/bin/python -m demo.run --scale $(SCALE)

test: .venv/.installed-dev ## run every test
	$(PYTEST)

test-deep: .venv/.installed-dev ## the same before a release: four times as many examples of each property
	$(PYTEST) --hypothesis-profile=deep

lint: .venv/.installed-dev ## check style, types and layers
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/.installed-dev ## measure against PostgreSQL itself; writes bench/results/latest.json
	.venv/bin/python -m bench

evaluate: .venv/.installed-dev ## how well matching does, beside Splink, on labelled sets
	.venv/bin/python -m evaluation

lock: .venv/.installed-dev ## resolve the newest versions into the lock files
	$(PIP) install uv
	for name in requirements requirements-dev; do \
	    .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	        --no-annotate --no-header --no-emit-index-url $$name.in --output-file $$name.lock || exit 1; done

clean: ## remove the environment, the demo's data and what checks left
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/lienthong.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Lienthong needs Python 3.11 or newer; `$(PYTHON)` is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@echo "Tạo môi trường · making a virtual environment in .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "No virtual environment could be made (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }

.venv/.installed: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Cài đặt các gói (1,1 GB trên đĩa, một đến vài phút) · installing locked versions (1.1 GB on disk, one to a few minutes)"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@echo "Cài công cụ kiểm thử · installing test tools"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
