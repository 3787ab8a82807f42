# Everything a user or a developer runs. Each target prepares what it needs (tools/setup) and caches it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-python demo demo-down test check lint unit integration e2e test-vm bench format lock clean

# The repository's own environment, whatever environment the caller has active.
unexport VIRTUAL_ENV
unexport PYTHONPATH
export PATH := $(CURDIR)/.venv/bin:$(PATH):/usr/sbin:/sbin
export PYTHONDONTWRITEBYTECODE := 1

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## install Debian packages and the virtual environment, if missing
	@tools/setup

setup-python:
	@tools/setup python

demo: setup ## two clusters joined by an encrypted tunnel, shown step by step (root)
	@isthmus lab demo

demo-down: setup ## remove everything that the demo made
	@isthmus lab down

test: setup lint unit integration e2e ## everything that CI runs (root)

check: setup-python lint unit ## the part that needs neither root nor the lab

lint: setup-python ## formatting, types, import contracts, module sizes, tests beside modules
	@tools/lint

unit: setup-python ## pure parts and fakes
	@pytest -q tests/unit tests/scenario tests/contract tests/bench -m "not root and not lab"

integration: setup ## drivers, charon, API servers and the lab for real, in private namespaces (root)
	@python -m isthmus.lab binaries
	@pytest -q tests/contract tests/kernel tests/charon tests/lab -m "root or lab"

e2e: setup ## the end-to-end matrix on the lab (root)
	@python -m isthmus.lab binaries
	@pytest -q tests/e2e

test-vm: setup ## ESP in the kernel, on a stock kernel under QEMU's emulation (root)
	@tests/vm/kernel-vm --timeout 900 -- tests/vm/run tests/vm

bench: setup ## figures: throughput, latency, scale; table, plot and JSON in bench/results (root)
	@python -m bench

format: setup-python ## let ruff format and fix
	@ruff format . && ruff check --fix .

lock: setup-python ## renew requirements/*.txt from pyproject.toml
	@tools/lock

clean: ## remove build products and the virtual environment of this checkout
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
